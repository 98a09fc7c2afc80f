/** The values of charts/hopwhistle-loadtests. */
import { DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import { DEFAULT_PORT } from '@hopwhistle/contract/routes.ts'
import { PROFILE_NAMES, SCENARIO_NAMES, SCENARIOS, type ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import type { k8s } from 'cdk8s-plus-27'
import {
  INITIALIZER_RESOURCES,
  MOST_RUNNERS,
  RUNNER_RESOURCES,
  STARTER_RESOURCES,
} from '../../loadtests/kubernetes/test-run.ts'
import {
  cron,
  flag,
  image,
  integer,
  labels,
  list,
  name,
  nodePort,
  oneOf,
  quantity,
  resources,
  section,
  text,
  type ValuesOf,
} from '../values/define.ts'
import { NETWORK_PEER, POD_FIELDS, podOf, TOLERATION } from './pod-fields.ts'
import { BENCH_IMAGE, FILE_SERVER_IMAGE, LOADTEST_IMAGES } from './versions.ts'

const port = (fallback: number, note: string) => integer(fallback, note, { min: 1, max: 65535 })

/** `Area/City`, or one of the few names without an area. Which cities there are, Kubernetes knows. */
const TIME_ZONE =
  /(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific|US)(?:\/[\w+-]+){1,2}|[A-Z][\w-]*/

/** The value that says whether a scenario runs: `callStateUpdates` for `call-state-updates`. */
export const flagOf = <S extends ScenarioName>(scenario: S): CamelCase<S> =>
  scenario.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()) as CamelCase<S>

type CamelCase<S extends string> = S extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : S

/** Only the first of the catalogue is on. */
const FLAGS = Object.fromEntries(
  SCENARIO_NAMES.map((scenario, i) => [flagOf(scenario), flag(i === 0, SCENARIOS[scenario].load)]),
) as Readonly<Record<CamelCase<ScenarioName>, ReturnType<typeof flag>>>

export const LOADTESTS = {
  ...POD_FIELDS,
  scenarios: section(
    'Which scenarios start at installation. Run one at a time, because they slow each other down',
    FLAGS,
  ),
  parallelism: integer(2, 'k6 pods that share the load of a scenario', { min: 1, max: MOST_RUNNERS }),
  profile: oneOf(
    PROFILE_NAMES,
    'quick',
    'full has the stages of the baselines; quick has the same peaks; soak holds them for two hours; breakpoint rises to four times the peaks; smoke only shows that everything works',
  ),
  apiUrl: text(
    `http://hopwhistle-api.hopwhistle:${DEFAULT_PORT}`,
    'URL of the API, as pods of this namespace reach it',
    /https?:\/\/\S+/,
  ),
  tenantId: text(DEMO_TENANT_ID, 'Tenant of the calls; the default is that of the demo data'),
  apiKey: section('The API key of the load tests', {
    existingSecret: name('Name of a Secret with the API key in its entry "key"; empty: the key of the demo data'),
  }),
  metricsUrl: text(
    '',
    'Remote write URL of a Prometheus, .../api/v1/write, to which the runners also send their metrics',
    /(https?:\/\/\S+)?/,
  ),
  schedule: section('Scheduled runs, judged in the cluster; see loadtests/README.md', {
    enabled: flag(false, 'Needs the image below, and a namespace without other pods: its Job may run programs in them'),
    cron: cron('0 3 * * *', 'Schedule in cron format'),
    timeZone: text('Etc/UTC', 'Time zone of the schedule', TIME_ZONE),
    scenarios: list<ScenarioName>(
      ['call-state-updates'],
      'Scenarios, run one after the other; empty: those of the baselines',
      { enum: SCENARIO_NAMES },
    ),
    image: image(BENCH_IMAGE, 'Image that runs and judges the scenarios, built from loadtests/Dockerfile'),
    platformNamespace: text('', 'Namespace of the platform, to sample its API; empty: the platform is not sampled'),
    keepResults: integer(30, 'Results kept for each scenario', { min: 1, max: 1000 }),
    resources: resources('Resources of the pod that follows, collects and judges a run', {
      requests: { cpu: '100m', memory: '256Mi' },
      limits: { cpu: '1', memory: '1Gi' },
    }),
    pod: podOf('that pod'),
  }),
  reports: section(
    'The last reports of scheduled runs at one address, which asks for no password; needs schedule.enabled. See docs/kubernetes.md',
    {
      enabled: flag(false, 'As many of each scenario as schedule.keepResults says, in a volume'),
      image: image(FILE_SERVER_IMAGE, 'Image that serves them: nginx'),
      storage: quantity(
        '2Gi',
        'Size of the volume: a report takes 1.5 to 5 MB. It stays when the release is uninstalled',
      ),
      storageClass: name('Storage class of the volume; empty: the default of the cluster'),
      serviceType: oneOf(['ClusterIP', 'NodePort', 'LoadBalancer'], 'ClusterIP', 'How they are reached: port 8080'),
      nodePort: nodePort('Port of every node; 0: Kubernetes chooses'),
      resources: resources('Resources of the pod that serves them', {
        requests: { cpu: '10m', memory: '32Mi' },
        limits: { cpu: '250m', memory: '64Mi' },
      }),
      pod: podOf('that pod'),
    },
  ),
  images: section('Images of the pods of a run', {
    k6: image(
      LOADTEST_IMAGES.k6,
      'Image of the runners, and of the initializer, which checks the script before the run',
    ),
    starter: image(
      LOADTEST_IMAGES.starter,
      'Image of the starter, which tells the runners to begin; it needs curl and a shell',
    ),
  }),
  runnerResources: resources('Resources of each runner. A runner that is throttled makes the run invalid', {
    requests: { ...RUNNER_RESOURCES.requests },
    limits: { ...RUNNER_RESOURCES.limits },
  }),
  runnerNodes: section(
    'Nodes of the runners. On the nodes of the platform, they would take CPU from what they measure',
    {
      nodeSelector: labels('Labels of the nodes that runners may run on'),
      tolerations: list<k8s.Toleration>([], 'Taints that runners tolerate', TOLERATION),
    },
  ),
  runnerPod: podOf('runners'),
  initializerResources: resources('Resources of the initializer', {
    requests: { ...INITIALIZER_RESOURCES.requests },
    limits: { ...INITIALIZER_RESOURCES.limits },
  }),
  initializerPod: podOf('the initializer, which ignores extraEnvFrom'),
  starterResources: resources('Resources of the starter', {
    requests: { ...STARTER_RESOURCES.requests },
    limits: { ...STARTER_RESOURCES.limits },
  }),
  starterPod: podOf('the starter'),
  networkPolicies: section(
    'Network policies that deny all traffic of these pods, except the connections that they need',
    {
      enabled: flag(true, 'Needs a network plugin that enforces network policies'),
      apiPort: port(DEFAULT_PORT, 'Port of the API’s pods, or of the server that apiUrl leads to'),
      metricsPort: port(9090, 'Port of the server that metricsUrl leads to'),
      apiServerPorts: list<{ readonly port: number }>(
        [{ port: 443 }, { port: 6443 }],
        'Ports of the Kubernetes API server, which the scheduled Job connects to',
        { type: 'object' },
      ),
      reportsFrom: list<k8s.NetworkPolicyPeer>(
        [],
        'Who may connect to the server of the reports: a list of NetworkPolicy peers, such as an ingress controller; empty: anybody',
        NETWORK_PEER,
      ),
      runnersFrom: list<k8s.NetworkPolicyPeer>(
        [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'k6-operator-system' } },
            podSelector: { matchLabels: { 'control-plane': 'controller-manager' } },
          },
        ],
        'Who may connect to the runners, besides the starter: a list of NetworkPolicy peers. The default is k6-operator in its usual namespace. If bench shows no progress, add the addresses of the Kubernetes API server',
        NETWORK_PEER,
      ),
    },
  ),
}

export type LoadtestsValues = ValuesOf<typeof LOADTESTS>
