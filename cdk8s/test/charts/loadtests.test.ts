import { SCENARIO_NAMES } from '@hopwhistle/contract/scenarios.ts'
import { describe, expect, test } from 'vitest'
import { MOST_BYTES } from '../../../loadtests/kubernetes/scenario-scripts.ts'
import { byPart, parseStoredPod, podsLike } from '../../../loadtests/kubernetes/stored-pods.ts'
import { PARTS, type Part, type TestRun, testRun } from '../../../loadtests/kubernetes/test-run.ts'
import { flagOf } from '../../chart-values/loadtests-values.ts'
import { loadtests } from '../../charts/loadtests.ts'
import { plainTestRuns } from '../../charts/plain-test-runs.ts'
import { type Manifest, renderChart, synthesize } from '../../values/helm-chart.ts'
import type { Json } from '../../values/value.ts'
import { problems, RULES } from '../support/hardening.ts'
import { byName, chartFolder, helm, helmTemplate, NEEDS_HELM, parseManifests } from '../support/helm.ts'

const ALL = { scenarios: Object.fromEntries(SCENARIO_NAMES.map((scenario) => [flagOf(scenario), true])) }

const given: readonly [string, { readonly [name: string]: Json }][] = [
  ['its defaults', {}],
  ['all scenarios', ALL],
  ['a key from a Secret', { apiKey: { existingSecret: 'key' }, apiUrl: 'https://calls.example.com' }],
  ['eight runners of the smoke profile', { parallelism: 8, profile: 'smoke' }],
  ['metrics for Prometheus', { metricsUrl: 'http://prometheus:9090/api/v1/write' }],
  ['others that follow its runners', { networkPolicies: { runnersFrom: [{ ipBlock: { cidr: '10.0.0.1/32' } }] } }],
  [
    'nodes of their own',
    { runnerNodes: { nodeSelector: { pool: 'load' }, tolerations: [{ key: 'load', operator: 'Exists' }] } },
  ],
  ['no policies', { networkPolicies: { enabled: false } }],
  [
    'a schedule',
    { schedule: { enabled: true, scenarios: ['redis-pubsub', 'mixed-load'], platformNamespace: 'calls' } },
  ],
  [
    'the last reports',
    { schedule: { enabled: true }, reports: { enabled: true, serviceType: 'NodePort', storageClass: 'fast' } },
  ],
  [
    'reports for some, next to pods that have a place already',
    {
      schedule: { enabled: true, pod: { affinity: { nodeAffinity: {} } } },
      reports: { enabled: true },
      networkPolicies: { reportsFrom: [{ ipBlock: { cidr: '10.0.0.0/8' } }] },
    },
  ],
  ['CPU in numbers and without a limit', { runnerResources: { requests: { cpu: 1 }, limits: { cpu: null } } }],
]

describe.skipIf(helm === undefined)(`hopwhistle-loadtests rendered by Helm${NEEDS_HELM}`, () => {
  test.each(given)('is object by object what is synthesized plainly, with %s', async (_, values) => {
    const rendered = await helmTemplate(chartFolder(loadtests), 'mine', values)
    expect(byName(rendered)).toEqual(byName(synthesize(loadtests, { name: 'mine', namespace: 'here', values })))
  })

  test.each([
    [{ parallelism: 'four' }, /parallelism/],
    [{ profile: 'big' }, /profile/],
    [{ runners: 4 }, /runners/],
  ])('refuses %j, and names the value', async (values, message) => {
    await expect(helmTemplate(chartFolder(loadtests), 'mine', values)).rejects.toThrow(message)
  })
})

const testRuns = (objects: readonly Manifest[]) =>
  objects.filter(({ kind }) => kind === 'TestRun') as unknown as readonly TestRun[]

test('every pod of a run is restricted, pinned and bounded, and the operator deletes none of them', () => {
  const runs = testRuns(synthesize(loadtests, { values: ALL }))
  expect(runs.map(({ metadata }) => metadata.name)).toEqual(
    SCENARIO_NAMES.map((scenario) => `hopwhistle-loadtests-${scenario}`),
  )
  for (const { spec } of runs) {
    expect(spec).not.toHaveProperty('cleanup')
    for (const pod of [spec.initializer, spec.starter, spec.runner]) {
      expect(pod).toMatchObject({
        image: expect.stringMatching(/^(grafana\/k6|curlimages\/curl):\d/),
        automountServiceAccountToken: 'false',
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containerSecurityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        resources: {
          requests: { cpu: expect.any(String), memory: expect.any(String) },
          limits: { cpu: expect.any(String), memory: expect.any(String) },
        },
      })
    }
  }
})

test('runners write to Prometheus when they are told where, and only then', () => {
  const [quiet] = testRuns(synthesize(loadtests, {}))
  expect(quiet?.spec.args).toEqual(['--no-usage-report'])
  const [run] = testRuns(synthesize(loadtests, { values: { metricsUrl: 'http://prometheus:9090/api/v1/write' } }))
  expect(run?.spec.args).toContain('loadtest=call-state-updates')
  expect(run?.spec.runner.env).toContainEqual({
    name: 'K6_PROMETHEUS_RW_SERVER_URL',
    value: 'http://prometheus:9090/api/v1/write',
  })
})

test('runners, and they alone, keep to the nodes that are named', () => {
  const values = { runnerNodes: { nodeSelector: { pool: 'load' } } }
  const [run] = testRuns(synthesize(loadtests, { values }))
  expect(run?.spec.runner).toMatchObject(values.runnerNodes)
  expect(run?.spec.initializer).toMatchObject({ nodeSelector: {} })
  expect(run?.spec.initializer).not.toMatchObject(values.runnerNodes)
})

test('runners reach the API and names, and Prometheus when they write to it; the operator and the starter reach them', () => {
  const { spec } = policy(synthesize(loadtests, {}), 'runner')
  expect(spec.egress.map(portsOf)).toEqual([[53, 53], [6565], [3001]])
  expect(spec.ingress.map(portsOf)).toEqual([[6565]])
  expect(JSON.stringify(spec.ingress)).toContain('"app.kubernetes.io/component":"starter"')
  expect(JSON.stringify(spec.ingress)).toContain('"control-plane":"controller-manager"')
  const values = { metricsUrl: 'http://metrics:9090/api/v1/write', networkPolicies: { apiPort: 443 } }
  expect(policy(synthesize(loadtests, { values }), 'runner').spec.egress.map(portsOf)).toEqual([
    [53, 53],
    [6565],
    [443],
    [9090],
  ])
})

test('that the pods of a run have no policy is noticed', () => {
  const rule = RULES['nothing reaches a pod, nor it anything, without a policy']
  const values = { networkPolicies: { enabled: false } }
  expect(problems(rule, synthesize(loadtests, {}))).toEqual([])
  expect(problems(rule, synthesize(loadtests, { values }))).toHaveLength(3)
})

type Policy = { spec: Record<'ingress' | 'egress', { ports: { port: number }[] }[]> }
const portsOf = ({ ports }: { ports: { port: number }[] }) => ports.map(({ port }) => port)
const policy = (objects: readonly Manifest[], of: string) =>
  objects.find(
    ({ kind, metadata }) => kind === 'NetworkPolicy' && JSON.stringify(metadata).includes(`-${of}"`),
  ) as unknown as Policy

describe('the last reports', () => {
  const ON = { schedule: { enabled: true }, reports: { enabled: true } }
  const of = (values: { readonly [name: string]: Json }) => {
    const objects = JSON.parse(JSON.stringify(synthesize(loadtests, { name: 'mine', values }))) as readonly Manifest[]
    return (kind: string, name: string) =>
      objects.find((one) => one.kind === kind && nameOf(one.metadata)?.endsWith(name)) as unknown as Served | undefined
  }
  type Container = {
    readonly image: string
    readonly args: readonly string[]
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[]
  }
  type Pod = {
    readonly securityContext: { readonly fsGroup: number }
    readonly affinity?: unknown
    readonly containers: readonly [Container]
    readonly volumes: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[]
  }
  type Served = {
    readonly metadata: { readonly name: string }
    readonly spec: {
      readonly template: {
        readonly spec: Pod
        readonly metadata: { readonly labels: Readonly<Record<string, string>> }
      }
      readonly jobTemplate: { readonly spec: { readonly template: { readonly spec: Pod } } }
      readonly ingress: readonly { readonly from?: unknown; readonly ports: readonly { readonly port: number }[] }[]
      readonly egress: readonly unknown[]
    }
    readonly data: Readonly<Record<string, string>>
  }

  test('are not there unless they are asked for', () => {
    const found = of({ schedule: { enabled: true } })
    expect(found('StatefulSet', 'reports')).toBeUndefined()
    expect(found('PersistentVolumeClaim', 'reports')).toBeUndefined()
    const job = found('CronJob', 'load-test')!.spec.jobTemplate.spec.template.spec
    expect(job.containers[0].args).not.toContain('--keep-reports')
    expect(job.affinity).toBeUndefined()
  })

  test('are written by the Job into the volume that the server only reads, on one node, as one user', () => {
    const found = of(ON)
    const claim = found('PersistentVolumeClaim', 'reports')!.metadata.name
    const { template } = found('StatefulSet', 'reports')!.spec
    const job = found('CronJob', 'load-test')!.spec.jobTemplate.spec.template.spec
    const mountOf = (pod: Pod) => pod.containers[0].volumeMounts.find(({ name }) => name === 'reports')
    expect(mountOf(template.spec)).toEqual({ name: 'reports', mountPath: '/reports', readOnly: true })
    expect(mountOf(job)).toEqual({ name: 'reports', mountPath: '/reports' })
    const { args } = job.containers[0]
    expect(args[args.indexOf('--keep-reports') + 1]).toBe('/reports')
    for (const pod of [template.spec, job]) {
      expect(pod.volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim ?? [])).toEqual([
        { claimName: claim },
      ])
    }
    expect(template.spec.securityContext.fsGroup).toBe(job.securityContext.fsGroup)
    const [term] = (job.affinity as { podAffinity: Record<string, { labelSelector: { matchLabels: object } }[]> })
      .podAffinity.requiredDuringSchedulingIgnoredDuringExecution!
    expect(template.metadata.labels).toMatchObject(term!.labelSelector.matchLabels)
    // Another place that is asked for holds as well.
    const asked = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } }
    const elsewhere = of({ ...ON, schedule: { enabled: true, pod: { affinity: asked } } })
    expect(elsewhere('CronJob', 'load-test')!.spec.jobTemplate.spec.template.spec.affinity).toMatchObject(asked)
  })

  test('are served by a pinned image that reaches nothing and is reached at one port', () => {
    const found = of(ON)
    expect(found('StatefulSet', 'reports')!.spec.template.spec.containers[0].image).toMatch(/^nginx:\d/)
    const { ingress, egress } = found('NetworkPolicy', 'reports')!.spec
    expect(egress).toEqual([])
    expect(ingress).toEqual([{ ports: [{ protocol: 'TCP', port: 8080 }] }])
    const peers = [{ ipBlock: { cidr: '10.0.0.0/8' } }]
    expect(of({ ...ON, networkPolicies: { reportsFrom: peers } })('NetworkPolicy', 'reports')!.spec.ingress).toEqual([
      { from: peers, ports: [{ protocol: 'TCP', port: 8080 }] },
    ])
  })

  test('need a schedule that leaves some', () => {
    expect(() => synthesize(loadtests, { values: { reports: { enabled: true } } })).toThrow('Set schedule.enabled=true')
  })
})

test('a key stands in no manifest, and the initializer, which would put it into arguments, has none', () => {
  const [run] = testRuns(synthesize(loadtests, { values: { apiKey: { existingSecret: 'key' } } }))
  expect(run?.spec.runner.env).toContainEqual({
    name: 'API_KEY',
    valueFrom: { secretKeyRef: { name: 'key', key: 'key' } },
  })
  expect(JSON.stringify(run?.spec.initializer)).not.toContain('API_KEY')
})

test('a run by command has the pods that the chart gives to its own', () => {
  const values = {
    ...{ imagePullSecrets: [{ name: 'registry' }], pods: { priorityClassName: 'high', annotations: { mesh: 'off' } } },
    ...{ runnerNodes: { nodeSelector: { pool: 'load' } }, runnerPod: { extraEnv: [{ name: 'PROXY', value: 'none' }] } },
    ...{ starterResources: { limits: { cpu: 2 } }, apiKey: { existingSecret: 'key' } },
  }
  const objects = synthesize(loadtests, { name: 'mine', values })
  const [run] = testRuns(objects)
  const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && nameOf(metadata) === 'mine-pods')
  const { data } = map as unknown as { readonly data: Readonly<Record<Part, string>> }
  const stored = byPart((part) => parseStoredPod(data[part]))
  const { name } = run!.metadata
  const made = testRun({
    ...{ name, scenario: 'call-state-updates', configMap: name, runId: 'call-state-updates', profile: 'quick' },
    ...{ parallelism: 2, apiUrl: 'http://hopwhistle-api.hopwhistle:3001' },
    images: { k6: stored.runner.image, starter: stored.starter.image },
    runnerResources: stored.runner.resources,
    ...podsLike(stored, 'call-state-updates'),
  })
  for (const part of PARTS) {
    const of = (one: TestRun) => JSON.parse(JSON.stringify(one.spec[part]))
    // By which the policies know them.
    const [ofChart, ofCommand] = [of(run!), of(made)]
    expect(ofCommand.metadata.labels).toEqual({ ...ofChart.metadata.labels, 'hopwhistle.io/pods-of': 'mine' })
    expect({ ...ofCommand, metadata: undefined }).toEqual({ ...ofChart, metadata: undefined })
    expect(ofCommand.metadata.annotations).toEqual({ mesh: 'off' })
  }
})

const nameOf = (metadata: unknown) => (metadata as { readonly name?: string }).name

test('two releases in one namespace share no object', () => {
  const names = (name: string) => Object.keys(byName(synthesize(loadtests, { name, values: ALL })))
  expect(names('one').filter((name) => names('other').includes(name))).toEqual([])
})

test('each file for kubectl apply is one scenario with its scripts, and small enough for what kubectl keeps of it', () => {
  const files = plainTestRuns()
  expect([...files.keys()]).toEqual(SCENARIO_NAMES.map((scenario) => `${scenario}.yaml`))
  for (const [name, text] of files) {
    const objects = parseManifests(text)
    // The policies come before the pods that they are for.
    expect(objects.map(({ kind }) => kind)).toEqual([
      'ConfigMap',
      'NetworkPolicy',
      'NetworkPolicy',
      'NetworkPolicy',
      'TestRun',
    ])
    const scripts = objects[0] as Manifest & { data: Record<string, string> }
    const run = objects.at(-1) as unknown as TestRun
    const { configMap } = run.spec.script
    expect(configMap).toEqual({ name: `hopwhistle-${name.replace('.yaml', '')}`, file: name.replace('yaml', 'ts') })
    expect(Object.keys(scripts.data)).toContain(configMap.file)
    expect(Buffer.byteLength(JSON.stringify(scripts))).toBeLessThan(MOST_BYTES)
  }
})

test('a chart is far below the 1 MiB that Helm keeps of a release', () => {
  const bytes = [...renderChart(loadtests).values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  expect(bytes).toBeLessThan(512 * 1024)
})
