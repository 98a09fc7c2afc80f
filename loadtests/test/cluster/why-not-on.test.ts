import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import type { CoreV1Event, V1ContainerState, V1Pod } from '@kubernetes/client-node'
import { describe, expect, test } from 'vitest'
import type { Look } from '../../bench/cluster/look.ts'
import { lastComplaint } from '../../bench/cluster/operator-says.ts'
import { problemFinder } from '../../bench/cluster/problems.ts'
import { whyGivenUp, whyHung } from '../../bench/cluster/why-not-on.ts'
import type { RunnerPod } from '../../results-format.ts'

const pod = (name: string, state: V1ContainerState, image = 'k6'): V1Pod => ({
  metadata: { name, namespace: 'there', labels: { 'job-name': name } },
  spec: { containers: [{ name: 'main', image }] },
  status: { containerStatuses: [{ name: 'main', image, imageID: '', ready: true, restartCount: 0, state }] },
})
const RUNNING: V1ContainerState = { running: {} }
const WAITING: V1ContainerState = { waiting: { reason: 'ErrImagePull', message: 'no such host' } }
const ended = (exitCode: number): V1ContainerState => ({ terminated: { exitCode } })

const OPERATOR = 'ghcr.io/grafana/k6-operator:controller-v1.6.0'

type There = {
  readonly initializer?: V1ContainerState
  readonly starter?: V1ContainerState
  /** `forbidden`: who asks may not list pods of other namespaces. */
  readonly operator?: V1ContainerState | 'none' | 'forbidden'
  readonly log?: string
  readonly events?: readonly CoreV1Event[]
}

/** When the TestRun was made; one of its name was there before. */
const MADE_AT = '2026-11-27T06:10:00Z'
const warning = (kind: string, name: string, message: string, at = '2026-11-27T06:10:05Z'): CoreV1Event => ({
  metadata: { name: `${name}.1` },
  involvedObject: { kind, name },
  type: 'Warning',
  reason: kind === 'Job' ? 'FailedCreate' : 'FailedMount',
  message,
  lastTimestamp: new Date(at),
})

/** The API server's answers about a TestRun `calls`, as far as they are asked for. */
function clusterWith({ initializer, starter, operator = RUNNING, log = '', events = [] }: There): Cluster {
  const own = { 'calls-initializer': initializer, 'calls-starter': starter }
  const items = Object.entries(own).flatMap(([name, state]) => (state === undefined ? [] : [pod(name, state)]))
  const core = {
    listNamespacedPod: async ({ labelSelector }: { readonly labelSelector: string }) => ({
      items: items.filter(({ metadata }) => labelSelector.endsWith(`job-name=${metadata?.name}`)),
    }),
    listNamespacedEvent: async () => ({ items: events }),
    listPodForAllNamespaces: async () => {
      if (operator === 'forbidden') throw new Error('pods is forbidden')
      const others = [pod('another-operator', RUNNING, 'ghcr.io/somebody/else:1')]
      return { items: operator === 'none' ? others : [...others, pod('k6-operator-5d', operator, OPERATOR)] }
    },
  }
  const custom = { getNamespacedCustomObject: async () => ({ metadata: { creationTimestamp: MADE_AT }, spec: {} }) }
  return { core, custom, namespace: 'load', get: async () => log } as unknown as Cluster
}

/** As k6-operator 1.6.0 wrote it, but for times, ids and stacks. */
const LOG = [
  '2026-11-27T06:10:01Z\tINFO\tcontrollers.TestRun\tReconcile(); stage = initialization\t{"namespace": "load", "name": "calls"}',
  '2026-11-27T06:10:02Z\tERROR\tcontrollers.TestRun\tParallelism argument cannot be larger than maximum VUs in the script\t{"namespace": "load", "name": "calls", "reconcileID": "5f", "maxVUs": 2, "parallelism": 3, "error": "number of instances > number of VUs"}',
  'github.com/grafana/k6-operator/internal/controller.RunValidations',
  '\t/workspace/internal/controller/k6_initialize.go:96',
  '2026-11-27T06:10:03Z\tERROR\tcontrollers.TestRun\tInvalid TestRun\t{"namespace": "load", "name": "others", "error": "no script"}',
].join('\n')
const WORDS =
  'Parallelism argument cannot be larger than maximum VUs in the script: number of instances > number of VUs'

test('of the complaints of the operator, the last one about this TestRun counts', () => {
  expect(lastComplaint(LOG, 'load', 'calls')).toBe(WORDS)
  expect(lastComplaint(LOG, 'load', 'call')).toBeUndefined()
  expect(lastComplaint(LOG, 'elsewhere', 'calls')).toBeUndefined()
  expect(lastComplaint('2026\tERROR\tx\ty\t{cut}', 'load', 'calls')).toBeUndefined()
})

test('a complaint that quotes several lines is told by what it says first', () => {
  const log = [
    LOG,
    '2026-11-27T06:10:04Z\tERROR\tcontrollers.TestRun\tunable to marshal: `{',
    '  "thresholds": {',
    '    "iterations": [',
    '`\t{"namespace": "load", "name": "calls", "reconcileID": "1d", "error": "unexpected end of JSON input"}',
    'github.com/grafana/k6-operator/internal/controller.inspectTestRun',
  ].join('\n')
  expect(lastComplaint(log, 'load', 'calls')).toBe('unable to marshal: unexpected end of JSON input')
  expect(lastComplaint(log, 'load', 'others')).toBe('Invalid TestRun: no script')
})

test('an initializer that ended well is not blamed: what the operator says is told instead', async () => {
  expect(await whyGivenUp(clusterWith({ initializer: ended(0), log: LOG }), 'calls')).toBe(
    `its initializer found nothing wrong with the script, but k6-operator says: ${WORDS}`,
  )
  expect(await whyGivenUp(clusterWith({ initializer: ended(0) }), 'calls')).toBe(
    'its initializer found nothing wrong with the script, but k6-operator stopped there; ' +
      '`kubectl --namespace there logs k6-operator-5d` may say why',
  )
  expect(await whyGivenUp(clusterWith({ initializer: ended(127) }), 'calls')).toBe('its initializer exited with 127')
})

test('an operator that is not there, does not run, or may not be looked at is told apart, with what to do', async () => {
  const given = (operator: NonNullable<There['operator']>) =>
    whyHung(clusterWith({ operator }), { testRun: 'calls', stage: 'new', runners: [] })
  expect(await given('none')).toBe(
    'k6-operator has no pod in this cluster: if its Deployment was scaled to 0, scale it up, else `make deploy` installs it',
  )
  expect(await given(WAITING)).toBe(
    'k6-operator does not run: its pod there/k6-operator-5d is not up (ErrImagePull: no such host)',
  )
  expect(await given('forbidden')).toBe(
    'k6-operator stopped there; its log says why, and may not be read: pods is forbidden',
  )
})

const QUOTA =
  'Error creating: pods "calls-4-" is forbidden: exceeded quota: small, requested: cpu=1, used: cpu=3, limited: cpu=3'
const VOLUME = 'MountVolume.SetUp failed for volume "script": configmap "calls" not found'

const HANGING: readonly { readonly stage: string; readonly there: There; readonly because: string | undefined }[] = [
  {
    stage: 'initialization',
    there: { initializer: WAITING },
    because: 'its initializer did not start (ErrImagePull: no such host)',
  },
  { stage: 'initialization', there: { initializer: ended(0), log: LOG }, because: `k6-operator says: ${WORDS}` },
  { stage: 'started', there: { starter: WAITING }, because: 'its starter did not start (ErrImagePull: no such host)' },
  { stage: 'started', there: { starter: ended(7) }, because: 'its starter exited with 7' },
  {
    stage: 'initialization',
    there: { log: LOG },
    because: `its initializer has no pod: see the events of its Job; k6-operator says: ${WORDS}`,
  },
  {
    stage: 'initialization',
    there: { events: [warning('Job', 'calls-initializer', QUOTA)] },
    because: `its initializer has no pod: ${QUOTA}`,
  },
  {
    stage: 'initialization',
    there: {
      initializer: { waiting: { reason: 'ContainerCreating' } },
      events: [warning('Pod', 'calls-initializer-x7k2p', VOLUME)],
    },
    because: `its initializer did not start (${VOLUME})`,
  },
  { stage: 'started', there: { starter: ended(0) }, because: undefined },
]

test.each(HANGING)('a TestRun that stays "$stage" waits for what is not there: $because', async (given) => {
  const { stage, there, because } = given
  const runners = [{ instance: '1', state: 'running' }] as const
  expect(await whyHung(clusterWith(there), { testRun: 'calls', stage, runners })).toBe(because)
})

test('a TestRun without all of its runners hangs for them; with all of them, for the operator', async () => {
  const hung = (state: 'running' | 'unscheduled') =>
    whyHung(clusterWith({ operator: 'none' }), {
      testRun: 'calls',
      stage: 'created',
      runners: [{ instance: '1', state }],
    })
  expect(await hung('unscheduled')).toBeUndefined()
  expect(await hung('running')).toMatch(/^k6-operator has no pod/)
})

describe('while a TestRun waits, within seconds', () => {
  const look = (stage: string, ...pods: readonly RunnerPod[]) => ({ stage, pods, sinceSeconds: 11 })
  const texts = async (there: There, seen: Look) =>
    (await problemFinder(clusterWith(there), 'calls')(seen)).problems?.map(({ text }) => text)

  test('a runner that a quota refuses is told with the words of Kubernetes, and the others are counted', async () => {
    const there: There = {
      events: [
        warning('Job', 'calls-4', 'of an earlier TestRun of this name', '2026-11-27T06:09:00Z'),
        warning('Job', 'calls-4', QUOTA),
        warning('Job', 'calls-5', QUOTA),
        warning('Job', 'another-4', 'of another TestRun'),
      ],
    }
    const runners: RunnerPod[] = [
      { instance: '3', state: 'running' },
      { instance: '4', state: 'absent' },
      { instance: '5', state: 'absent' },
    ]
    const seen = await problemFinder(clusterWith(there), 'calls')(look('created', ...runners))
    expect(seen.problems?.map(({ text }) => text)).toEqual([`runner 4 has no pod (and 1 runner more): ${QUOTA}`])
    // Kept with the run: the events are gone with the TestRun.
    expect(seen.pods[1]).toEqual({ instance: '4', state: 'absent', reason: QUOTA })
  })

  test('so are those that no node takes and that do not start, but not those that are just being made', async () => {
    const events = [warning('Pod', 'calls-2-x7k2p', VOLUME)]
    const being = { instance: '1', state: 'waiting', reason: 'ContainerCreating' } as const
    expect(await texts({ events }, look('created', being))).toEqual([])
    expect(await texts({ events }, look('created', being, { ...being, instance: '2' }))).toEqual([
      `runner 2 does not start: ${VOLUME}`,
    ])
    const unscheduled = { instance: '1', state: 'unscheduled', reason: '0/1 nodes are available' } as const
    expect(await texts({}, look('created', unscheduled))).toEqual([
      'runner 1 was not scheduled: 0/1 nodes are available',
    ])
  })

  test('so are an initializer and a starter without a pod, and an operator that complains', async () => {
    const events = [warning('Job', 'calls-initializer', QUOTA), warning('Job', 'calls-starter', QUOTA)]
    expect(await texts({ events }, look('initialization'))).toEqual([`its initializer has no pod: ${QUOTA}`])
    expect(await texts({ events }, look('started'))).toEqual([`its starter has no pod: ${QUOTA}`])
    expect(await texts({ log: LOG }, look('initialized'))).toEqual([`k6-operator says: ${WORDS}`])
    expect(await texts({ log: LOG }, { ...look('initialized'), sinceSeconds: 1 })).toEqual([])
  })

  test('complaints of the operator about an earlier TestRun of the same name are none of it', () => {
    expect(lastComplaint(LOG, 'load', 'calls', '2026-11-27T06:10:01Z')).toBe(WORDS)
    expect(lastComplaint(LOG, 'load', 'calls', '2026-11-27T06:11:00Z')).toBeUndefined()
  })
})
