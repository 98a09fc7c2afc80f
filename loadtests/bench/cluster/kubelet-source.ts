/**
 * Samples the pods of a run, and their nodes: as the kubelets see them, or, for whoever may not ask those, the runners and
 * their nodes as the kernel tells it in the runners' pods.
 */

import { type Cluster, may, reasonOf } from '@hopwhistle/platform/kubernetes/connect.ts'
import { quantity } from '@hopwhistle/platform/kubernetes/quantity.ts'
import type { V1Pod } from '@kubernetes/client-node'
import type { SeriesRecorder } from '../sample/series-recorder.ts'
import type { KubernetesEvidence, PodEvidence } from '../sample/server-evidence.ts'
import type { Source } from '../sample/source.ts'
import { type NodeUse, type PodUse, readCadvisor } from './cadvisor.ts'
import { readPodFiles } from './pod-files.ts'

export type WatchedPod = { readonly pod: V1Pod; readonly kind: PodEvidence['kind'] }

/** @param list the pods as they are now: they come and go while the run is on */
export function kubeletSource(
  cluster: Cluster,
  list: () => Promise<readonly WatchedPod[]>,
): Source<KubernetesEvidence> {
  const known = new Map<string, { readonly watched: WatchedPod; readonly node: string }>()
  const nodes = new Map<string, number>()
  const before = new Map<string, Look>()
  let read = readKubelets(cluster)

  const refresh = async () => {
    for (const watched of await list()) {
      const { name = '', namespace = '' } = watched.pod.metadata ?? {}
      const node = watched.pod.spec?.nodeName
      if (node === undefined) continue
      known.set(`${namespace}/${name}`, { watched, node })
      if (!nodes.has(node)) nodes.set(node, 0)
    }
  }

  return {
    async begin() {
      await refresh()
      const refusal = await whyNoKubelet(cluster, [...nodes.keys()])
      if (refusal === undefined) return
      if (!(await may(cluster, { verb: 'get', resource: 'pods', subresource: 'exec' }))) throw new Error(refusal)
      read = readRunners(cluster)
    },
    async sample(recorder) {
      await refresh().catch(() => {})
      const looks = await read([...nodes.keys()], [...known.values()])
      for (const { name, node, pods } of looks) {
        nodes.set(name, node.cores)
        record(recorder, `node ${name}`, before, node)
        for (const look of pods) {
          const key = `${look.namespace}/${look.pod}`
          if (known.has(key)) record(recorder, key, before, look)
        }
      }
    },
    async end(recorder) {
      const recorded = new Set(recorder.names())
      // Of what was never looked at there are no values; a recorder would say 0.
      const series = (name: string) => (recorded.has(name) ? recorder.series(name) : [])
      return {
        nodes: [...nodes].map(([name, cores]) => ({ name, cores, cpuCores: series(`node ${name} cpu`) })),
        pods: [...known].map(([key, { watched, node }]) => ({
          pod: key.slice(key.indexOf('/') + 1),
          kind: watched.kind,
          node,
          cpuCores: series(`${key} cpu`),
          memoryBytes: series(`${key} memory`),
          throttled: series(`${key} throttled`),
          ...limitsOf(watched.pod),
        })),
      }
    },
    close: async () => {},
  }
}

type NodeLook = { readonly name: string; readonly node: NodeUse; readonly pods: readonly PodUse[] }
type Known = { readonly watched: WatchedPod; readonly node: string }
/** Never throws: what does not answer is left out. */
type Reader = (nodes: readonly string[], known: readonly Known[]) => Promise<readonly NodeLook[]>

const path = (node: string): string => `/api/v1/nodes/${encodeURIComponent(node)}/proxy/metrics/cadvisor`

const readKubelets =
  ({ get }: Cluster): Reader =>
  async (nodes) => {
    const looks = nodes.map(async (name) => ({ name, ...readCadvisor(await get(path(name))) }))
    return answered(looks)
  }

/** A program that is started in a runner's pod costs its node some CPU, so it looks no more often than kubelets do. */
const LOOK_EVERY_MS = 10_000

function readRunners(cluster: Cluster): Reader {
  let lookedAt = Number.NEGATIVE_INFINITY
  return async (_, known) => {
    const runners = known.filter(({ watched }) => watched.kind === 'k6')
    if (runners.length === 0 || performance.now() - lookedAt < LOOK_EVERY_MS) return []
    lookedAt = performance.now()
    const looks = runners.map(async ({ watched, node }): Promise<NodeLook> => {
      const { name: pod = '', namespace = '' } = watched.pod.metadata ?? {}
      const files = await readPodFiles(cluster, namespace, pod)
      return { name: node, node: files.node, pods: [{ namespace, pod, ...files.pod }] }
    })
    // Each of them tells of its whole node.
    const ofNodes = Map.groupBy(await answered(looks), ({ name }) => name)
    return [...ofNodes].flatMap(([name, [first, ...others]]) =>
      first === undefined ? [] : [{ name, node: first.node, pods: [first, ...others].flatMap(({ pods }) => pods) }],
    )
  }
}

const answered = async <T>(asked: readonly Promise<T>[]): Promise<readonly T[]> =>
  (await Promise.allSettled(asked)).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))

/** @returns undefined where the kubelets of these nodes answer, and those of others may be asked */
async function whyNoKubelet(cluster: Cluster, nodes: readonly string[]): Promise<string | undefined> {
  if (!(await may(cluster, { verb: 'get', resource: 'nodes', subresource: 'proxy' }, 'in all namespaces'))) {
    return 'nodes/proxy may not be read'
  }
  const asked = nodes.map((node) => cluster.get(path(node)).then(() => undefined, reasonOf))
  return (await Promise.all(asked)).find((refusal) => refusal !== undefined)
}

type Look = Pick<NodeUse, 'at' | 'cpuSeconds'> & Partial<Pick<PodUse, 'memoryBytes' | 'periods'>>

/** Records what happened since the kubelet's look before; nothing when it has not looked again. */
function record(recorder: SeriesRecorder, key: string, before: Map<string, Look>, now: Look): void {
  const earlier = before.get(key)
  if (earlier !== undefined && now.at <= earlier.at) return
  before.set(key, now)
  if (now.memoryBytes !== undefined) recorder.gauge(`${key} memory`, now.memoryBytes)
  if (earlier === undefined || now.cpuSeconds < earlier.cpuSeconds) return
  recorder.gauge(`${key} cpu`, (now.cpuSeconds - earlier.cpuSeconds) / ((now.at - earlier.at) / 1000))
  if (now.periods !== undefined) recorder.gauge(`${key} throttled`, throttledPart(now.periods, earlier.periods))
}

/** Of the pod or of the container of it that was throttled most. */
function throttledPart(now: PodUse['periods'], earlier: PodUse['periods'] = new Map()): number {
  const parts = [...now].map(([id, { all, throttled }]) => {
    const periods = all - (earlier.get(id)?.all ?? 0)
    return periods > 0 ? (throttled - (earlier.get(id)?.throttled ?? 0)) / periods : 0
  })
  return Math.max(0, ...parts)
}

function limitsOf({ spec }: V1Pod): Pick<PodEvidence, 'cpuLimitCores' | 'memoryLimitBytes'> {
  const sum = (resource: string) => {
    const limits = (spec?.containers ?? []).map(({ resources }) => resources?.limits?.[resource])
    return limits.every((limit) => limit !== undefined)
      ? limits.reduce((total, limit) => total + quantity(limit), 0)
      : undefined
  }
  const [cpuLimitCores, memoryLimitBytes] = [sum('cpu'), sum('memory')]
  return {
    ...(cpuLimitCores === undefined ? {} : { cpuLimitCores }),
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
  }
}
