import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import type { V1Pod } from '@kubernetes/client-node'
import type { Cluster } from './cluster.ts'

/** The parts of the platform, as the label `app.kubernetes.io/component` names them. */
export type Component = 'api' | 'postgres' | 'postgres-replica' | 'redis'

export type Deployed = ReturnType<typeof deployedIn>

const WITHIN_MS = 180_000

/** What is deployed, to look at and to disturb. */
export function deployedIn(cluster: Cluster, namespace: string, release: string) {
  const { core, apps } = cluster
  const api = `${release}-api`

  async function pods(component: Component): Promise<readonly V1Pod[]> {
    const labelSelector = `app.kubernetes.io/instance=${release},app.kubernetes.io/component=${component}`
    const { items } = await core.listNamespacedPod({ namespace, labelSelector })
    return items
  }
  const wait = <T>(what: string, ask: () => Promise<T | undefined | false>) =>
    waitUntil(what, ask, { timeoutMs: WITHIN_MS, everyMs: 300 })

  return {
    pods,
    wait,
    apiDeployment: () => apps.readNamespacedDeployment({ namespace, name: api }),
    /** Resolves when exactly so many pods of the API are there, all ready and of the newest kind. */
    apiHas: (replicas: number) =>
      wait(`${replicas} pods of the API to be ready, and no other`, async () => {
        const { metadata, spec, status } = await apps.readNamespacedDeployment({ namespace, name: api })
        return (
          status?.observedGeneration === metadata?.generation &&
          spec?.replicas === replicas &&
          status?.readyReplicas === replicas &&
          status?.updatedReplicas === replicas &&
          (await pods('api')).length === replicas
        )
      }),
    /** As `kubectl rollout restart`. */
    restartApi: () => {
      const value = new Date().toISOString()
      const path = '/spec/template/metadata/annotations/restartedAt'
      return apps.patchNamespacedDeployment({ namespace, name: api, body: [{ op: 'add', path, value }] })
    },
    /** The autoscaler takes pods back as soon as it finds too many, rather than five minutes later and one a minute. */
    scaleDownAtOnce: () => {
      const scaleDown = { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 10, periodSeconds: 15 }] }
      const body = [{ op: 'replace', path: '/spec/behavior/scaleDown', value: scaleDown }]
      return cluster.autoscaling.patchNamespacedHorizontalPodAutoscaler({ namespace, name: api, body })
    },
    /** Deletes a pod; what has not ended by itself after these seconds is killed. Another one takes its place. */
    remove: ({ metadata }: V1Pod, graceSeconds: number) =>
      core.deleteNamespacedPod({ namespace, name: metadata!.name!, gracePeriodSeconds: graceSeconds }),
    /** What the one pod of a component has printed. */
    async logOf(component: Component): Promise<string> {
      const [pod] = await pods(component)
      return core.readNamespacedPodLog({ namespace, name: pod!.metadata!.name! })
    },
    /** Deletes the one pod of a component together with its volume. Another pod gets another, empty volume. */
    async removeWithVolume(component: Component): Promise<void> {
      const [pod] = await pods(component)
      const name = pod!.metadata!.name!
      // It goes once no pod uses it.
      await core.deleteNamespacedPersistentVolumeClaim({ namespace, name: `data-${name}` })
      await core.deleteNamespacedPod({ namespace, name, gracePeriodSeconds: 1 })
    },
    /** Ends the process of a pod of the API in the middle of everything. Kubernetes starts it again, in the same pod. */
    async crash(pod: V1Pod): Promise<void> {
      const restarts = async () => {
        const { status } = await core.readNamespacedPod({ namespace, name: pod.metadata!.name! })
        return status!.containerStatuses![0]!.restartCount
      }
      const before = await restarts()
      // The command ends with its container, and so reports an error.
      await cluster.execute(pod, ['node', '--input-type=module', '--eval', CRASH]).catch(() => {})
      await wait('the process to be started again', async () => (await restarts()) > before)
    },
    /** Resolves when a component's one pod is another than this one, and ready. */
    replaced: (component: Component, { metadata }: V1Pod) =>
      wait(`a new pod of ${component} to be ready`, async () => {
        const [pod] = await pods(component)
        return pod !== undefined && pod.metadata!.uid !== metadata!.uid && isReady(pod) && pod
      }),
    /** Runs a query on the primary as its superuser. @returns one text a row */
    async query(sql: string): Promise<readonly string[]> {
      const [primary] = await pods('postgres')
      const psql = ['psql', '-h', '/tmp', '-U', 'postgres', '-d', 'hopwhistle', '-v', 'ON_ERROR_STOP=1', '-Atqc', sql]
      const output = await cluster.execute(primary!, psql)
      return output.split('\n').filter((line) => line !== '')
    },
  }
}

/** Process 1 cannot be killed from inside its container: its debugger makes it abort. */
const CRASH = `
import { setTimeout as sleep } from 'node:timers/promises'
process.kill(1, 'SIGUSR1')
const targets = async () => (await fetch('http://127.0.0.1:9229/json')).json()
let found
while (found === undefined) [found] = await targets().catch(() => sleep(50, []))
const socket = new WebSocket(found.webSocketDebuggerUrl)
const params = { expression: 'process.abort()' }
socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }))
`

export const isReady = ({ status }: V1Pod) =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
