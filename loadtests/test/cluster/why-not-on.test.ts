import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import type { V1ContainerState, V1Pod } from '@kubernetes/client-node'
import { expect, test } from 'vitest'
import { lastComplaint } from '../../bench/cluster/operator-says.ts'
import { whyGivenUp, whyHung } from '../../bench/cluster/why-not-on.ts'

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
}

/** The API server's answers about a TestRun `calls`, as far as they are asked for. */
function clusterWith({ initializer, starter, operator = RUNNING, log = '' }: There): Cluster {
  const own = { 'calls-initializer': initializer, 'calls-starter': starter }
  const items = Object.entries(own).flatMap(([name, state]) => (state === undefined ? [] : [pod(name, state)]))
  const core = {
    listNamespacedPod: async ({ labelSelector }: { readonly labelSelector: string }) => ({
      items: items.filter(({ metadata }) => labelSelector.endsWith(`job-name=${metadata?.name}`)),
    }),
    listPodForAllNamespaces: async () => {
      if (operator === 'forbidden') throw new Error('pods is forbidden')
      const others = [pod('another-operator', RUNNING, 'ghcr.io/somebody/else:1')]
      return { items: operator === 'none' ? others : [...others, pod('k6-operator-5d', operator, OPERATOR)] }
    },
  }
  return { core, namespace: 'load', get: async () => log } as unknown as Cluster
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
