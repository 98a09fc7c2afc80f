/** Samples the pods of a run, and their nodes, as the kubelets see them. */

import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import { quantity } from '@hopwhistle/platform/kubernetes/quantity.ts'
import type { V1Pod } from '@kubernetes/client-node'
import type { SeriesRecorder } from '../sample/series-recorder.ts'
import type { KubernetesEvidence, PodEvidence } from '../sample/server-evidence.ts'
import type { Source } from '../sample/source.ts'
import { type NodeUse, type PodUse, readCadvisor } from './cadvisor.ts'

export type WatchedPod = { readonly pod: V1Pod; readonly kind: PodEvidence['kind'] }

/** @param list the pods as they are now: they come and go while the run is on */
export function kubeletSource(
  { get }: Cluster,
  list: () => Promise<readonly WatchedPod[]>,
): Source<KubernetesEvidence> {
  const known = new Map<string, { readonly watched: WatchedPod; readonly node: string }>()
  const nodes = new Map<string, number>()
  const before = new Map<string, Look>()

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
      // Fails here, and is left out with its reason, when it may not be asked.
      for (const node of nodes.keys()) await get(path(node))
    },
    async sample(recorder) {
      await refresh().catch(() => {})
      await Promise.all(
        [...nodes.keys()].map(async (node) => {
          const text = await get(path(node)).catch(() => undefined)
          if (text === undefined) return
          const { node: use, pods } = readCadvisor(text)
          nodes.set(node, use.cores)
          record(recorder, `node ${node}`, before, use)
          for (const look of pods) {
            const key = `${look.namespace}/${look.pod}`
            if (known.has(key)) record(recorder, key, before, look)
          }
        }),
      )
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

const path = (node: string): string => `/api/v1/nodes/${encodeURIComponent(node)}/proxy/metrics/cadvisor`

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
