/**
 * The TestRun of a scenario, as k6-operator 1.6 reads it: one function for the command that applies it and for the
 * chart that is synthesized from it; and that of a script of somebody else. Pure.
 */
import { DEMO_API_KEY, DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import type { ProfileName, ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { restrictedContainer, restrictedPod } from './restricted.ts'
import { scriptFile } from './scenario-scripts.ts'

export const TEST_RUN_GROUP = 'k6.io'
export const TEST_RUN_VERSION = 'v1alpha1'
export const TEST_RUN_PLURAL = 'testruns'

/** How pods and TestRuns of ours are told from those of others. */
export const LOADTEST_LABELS = {
  'app.kubernetes.io/name': 'hopwhistle-loadtests',
  'app.kubernetes.io/part-of': 'hopwhistle',
}
export const SCENARIO_LABEL = 'hopwhistle.io/scenario'
/** Which of the three kinds of pods of a run it is. */
export const PART_LABEL = 'app.kubernetes.io/component'
export const PARTS = ['initializer', 'starter', 'runner'] as const
export type Part = (typeof PARTS)[number]
/** k6-operator gives every pod of a TestRun this label, with its name. */
export const OPERATOR_LABEL = 'k6_cr'
/** Where a runner is told to begin and to stop, and says how far it is. */
export const RUNNER_PORT = 6565

/** The operator appends to the name of a TestRun, and Kubernetes allows 63 characters. */
export const LONGEST_NAME = 51

/**
 * More runners the operator cannot start: its starter has the commands for all of them in one argument, at most 400 bytes
 * for each, and Linux takes 128 KiB.
 */
export const MOST_RUNNERS = 300

/** A value that is known now, or once somebody installs a chart; either way it can stand in a string. */
export type Given<T> = T | { readonly holds: T; toString(): string }

/** CPU as Kubernetes writes it (`500m`, `2`), memory as well (`512Mi`). */
export type Resources = {
  readonly requests: Amounts
  /** Without one of CPU, if that is null or absent. */
  readonly limits: Omit<Amounts, 'cpu'> & Partial<Pick<Amounts, 'cpu'>>
}
type Amounts = { readonly cpu: Given<string>; readonly memory: Given<string> }

/** Labels are all of a pod's; `moreEnv` stands in a list for all of the variables in `env`. */
export type PodPart = {
  readonly labels: unknown
  readonly annotations: unknown
  readonly spec: Readonly<Record<string, unknown>>
  readonly moreEnv: readonly unknown[]
  readonly container: { readonly env: unknown; readonly envFrom?: unknown }
}

export type TestRunOptions = {
  /** At most `LONGEST_NAME` characters. */
  readonly name: string
  readonly namespace?: string
  readonly scenario: ScenarioName
  readonly profile: Given<ProfileName>
  /** Number of k6 pods, which share the load. */
  readonly parallelism: Given<number>
  /** As a pod reaches it: `http://hopwhistle-api.hopwhistle:3001`. */
  readonly apiUrl: Given<string>
  readonly tenantId?: Given<string>
  /** The environment variable API_KEY, as from a Secret; the demo data's key if there is none. */
  readonly apiKeyVariable?: unknown
  /** The ConfigMap with the scenario's scripts, in the same namespace. */
  readonly configMap: string
  /** Begins every id that the run creates. */
  readonly runId: string
  readonly images: { readonly k6: Given<string>; readonly starter: Given<string> }
  /** For the result; what the image says of it, if it is not given. */
  readonly k6Version?: string
  readonly runnerResources?: Resources
  /** Of the other two kinds of pods; little, if they are not given. */
  readonly initializerResources?: Resources
  readonly starterResources?: Resources
  readonly imagePullPolicy?: Given<string>
  /** What a cluster asks of its pods, by kind. */
  readonly pods?: Readonly<Record<Part, PodPart>>
  /** Settings of the scenario besides its profile's: RATE, PEAK_SECONDS, … */
  readonly overrides?: Readonly<Record<string, Given<string>>>
  /** Options of k6 and variables of the runners in addition to those that every run has: see remote-write.ts. */
  readonly args?: readonly unknown[]
  readonly runnerEnv?: readonly unknown[]
}

/** One k6 with the whole load of the full profile used up to 0.7 cores and 1.5 GB; runners share that. */
export const RUNNER_RESOURCES = {
  requests: { cpu: '250m', memory: '512Mi' },
  limits: { cpu: '2', memory: '2Gi' },
} as const satisfies Resources
export const INITIALIZER_RESOURCES = {
  requests: { cpu: '100m', memory: '256Mi' },
  limits: { cpu: '1', memory: '512Mi' },
} as const satisfies Resources
/** It tells one runner after the other to begin, with a curl for each: ten took 1.3 s with 100m, and 0.5 s with a core. */
export const STARTER_RESOURCES = {
  requests: { cpu: '10m', memory: '16Mi' },
  limits: { cpu: '1', memory: '64Mi' },
} as const satisfies Resources
/** The user of the k6 image, and of the curl image. */
const K6_USER = 12345
const CURL_USER = 100

/** How the pods of one kind of a scenario are found. */
export const partLabels = (scenario: string, part: Part) => ({
  ...LOADTEST_LABELS,
  [SCENARIO_LABEL]: scenario,
  [PART_LABEL]: part,
})

export type TestRun = ReturnType<typeof runOf>

export function testRun(options: TestRunOptions) {
  const { name, scenario } = options
  const settings = settingsOf(options)
  return runOf(options, {
    file: scriptFile(scenario),
    settings,
    runnerEnv: [
      ...settings,
      options.apiKeyVariable ?? DEMO_KEY,
      ...PER_RUNNER,
      // By the Services that the operator makes of its runners.
      { name: 'RUNNER_URL', value: `http://${name}-service-{}:${RUNNER_PORT}` },
      ...(options.runnerEnv ?? []),
    ],
  })
}

export type ArchiveRunOptions = Omit<
  TestRunOptions,
  'scenario' | 'profile' | 'apiUrl' | 'tenantId' | 'apiKeyVariable' | 'runId' | 'k6Version' | 'overrides'
> & {
  /** What the script is called. */
  readonly scenario: string
}

/** The archive of a script in its ConfigMap: with the files that it imports and opens, and its options. */
export const ARCHIVE_FILE = 'archive.tar'

/** The TestRun of a script of somebody else, which k6 has archived: it names its own target, and has its own settings. */
export const archiveTestRun = (options: ArchiveRunOptions) =>
  runOf(options, { file: ARCHIVE_FILE, settings: [], runnerEnv: [...PER_RUNNER, ...(options.runnerEnv ?? [])] })

type Common = Pick<ArchiveRunOptions, keyof ArchiveRunOptions & keyof TestRunOptions>
type Script = {
  readonly file: string
  /** Of the initializer, and so in the arguments of its process. */
  readonly settings: readonly unknown[]
  readonly runnerEnv: readonly unknown[]
}

function runOf(options: Common, { file, settings, runnerEnv }: Script) {
  const { name, namespace, scenario, parallelism, configMap, images, runnerResources = RUNNER_RESOURCES } = options
  const { initializerResources = INITIALIZER_RESOURCES, starterResources = STARTER_RESOURCES, pods } = options
  const labels = { ...LOADTEST_LABELS, [SCENARIO_LABEL]: scenario }
  const pod = (part: Part, image: Given<string>, user: number, resources: Resources) => ({
    image,
    imagePullPolicy: options.imagePullPolicy ?? 'IfNotPresent',
    automountServiceAccountToken: 'false',
    metadata: {
      labels: pods?.[part].labels ?? partLabels(scenario, part),
      ...(pods === undefined ? {} : { annotations: pods[part].annotations }),
    },
    ...pods?.[part].spec,
    securityContext: restrictedPod(user),
    containerSecurityContext: restrictedContainer(),
    resources,
  })
  return {
    apiVersion: `${TEST_RUN_GROUP}/${TEST_RUN_VERSION}`,
    kind: 'TestRun',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels },
    spec: {
      parallelism,
      script: { configMap: { name: configMap, file } },
      // Exact, where `arguments` would go through a shell.
      args: ['--no-usage-report', ...(options.args ?? [])],
      // Off: with `post` the operator deletes the pods, and with them the results, as soon as they have ended.
      initializer: {
        ...pod('initializer', images.k6, K6_USER, initializerResources),
        // Without the key, which it would put into the arguments of a process.
        env: [...settings, ...(pods?.initializer.moreEnv ?? [])],
        ...TEMPORARY_FILES,
      },
      starter: {
        ...pod('starter', images.starter, CURL_USER, starterResources),
        ...pods?.starter.container,
      },
      runner: {
        ...pod('runner', images.k6, K6_USER, runnerResources),
        ...pods?.runner.container,
        env: [...runnerEnv, ...(pods?.runner.moreEnv ?? [])],
        livenessProbe: PATIENT_PROBE,
        ...TEMPORARY_FILES,
      },
    },
  }
}

function settingsOf(options: TestRunOptions) {
  const settings: Readonly<Record<string, Given<string>>> = {
    PROFILE: `${options.profile}`,
    PARALLELISM: `${options.parallelism}`,
    RUN_ID: options.runId,
    API_URL: options.apiUrl,
    TENANT_ID: options.tenantId ?? DEMO_TENANT_ID,
    RESULTS_DIR: 'log',
    ...(options.k6Version === undefined ? {} : { K6_VERSION: options.k6Version }),
    ...options.overrides,
  }
  return Object.entries(settings).map(([name, value]) => ({ name, value: `${value}` }))
}

const DEMO_KEY = { name: 'API_KEY', value: DEMO_API_KEY }

const PER_RUNNER = [
  // `NAME-3`: no other runner of the test has it.
  { name: 'INSTANCE', valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-name']" } } },
  // Fewer garbage collections leave k6 more of its CPU, for some 100 MB.
  { name: 'GOGC', value: '400' },
]

/** The operator's own gives a k6 that writes its summary 30 s, and k6 answers nothing meanwhile. */
const PATIENT_PROBE = { httpGet: { path: '/v1/status', port: RUNNER_PORT }, periodSeconds: 10, failureThreshold: 30 }

const TEMPORARY_FILES = {
  volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '64Mi' } }],
  volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
}
