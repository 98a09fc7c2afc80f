import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import { quantity } from '@hopwhistle/platform/kubernetes/quantity.ts'
import { readSource } from '@hopwhistle/platform/machine/place.ts'
import type { V1Node, V1Pod } from '@kubernetes/client-node'
import type { RunnerPod } from '../../results-format.ts'
import type { Environment } from '../sample/environment.ts'
import type { ServerEvidence } from '../sample/server-evidence.ts'
import { componentOf } from './platform.ts'

export type ClusterUse = {
  readonly platformPods: readonly V1Pod[]
  readonly runners: readonly RunnerPod[]
  readonly server: ServerEvidence | undefined
  readonly k6Version: string
}

/** Where a distributed run was made: the nodes that took part, together. */
export async function clusterEnvironment({ core }: Cluster, use: ClusterUse): Promise<Environment> {
  const { platformPods, runners, server, k6Version } = use
  const all = await core.listNode().then(
    ({ items }) => items,
    () => [],
  )
  const generators = new Set(runners.map(({ node }) => node))
  const platform = new Set(platformPods.map(({ spec }) => spec?.nodeName))
  const used = all.filter(({ metadata }) => generators.has(metadata?.name) || platform.has(metadata?.name))
  const nodes = used.length > 0 ? used : all
  const info = nodes[0]?.status?.nodeInfo
  const count = (component: string) => platformPods.filter((pod) => componentOf(pod) === component).length
  const cores = sumOf(nodes, 'cpu')
  const postgres = server?.postgres?.primary.version
  const redis = server?.redis?.version
  const size = nodes.length === 1 ? '1 node' : `${nodes.length} nodes`
  return {
    name: process.env.HOPWHISTLE_ENVIRONMENT || `kubernetes-${size.replace(' ', '-')}-${cores}-cores`,
    machine: {
      os: `${info?.osImage ?? 'unknown'}, Kubernetes ${info?.kubeletVersion ?? 'of unknown version'}`,
      kernel: info?.kernelVersion ?? 'unknown',
      architecture: info?.architecture ?? 'unknown',
      cpuModel: size,
      cores,
      memoryBytes: sumOf(nodes, 'memory'),
    },
    versions: {
      node: nodeVersionOf(server) ?? 'of unknown version',
      ...(postgres === undefined ? {} : { postgres }),
      ...(redis === undefined ? {} : { redis }),
      k6: k6Version,
    },
    source: await readSource(),
    stack: {
      apiInstances: count('api'),
      replicas: count('postgres-replica'),
      generatorOnSameMachine: [...generators].some((node) => node !== undefined && platform.has(node)),
    },
  }
}

const sumOf = (nodes: readonly V1Node[], resource: 'cpu' | 'memory'): number =>
  nodes.reduce((sum, { status }) => sum + quantity(status?.capacity?.[resource] ?? '0'), 0)

/** As the API tells it in its metrics. */
function nodeVersionOf(server: ServerEvidence | undefined): string | undefined {
  for (const { gauges } of server?.api ?? []) {
    for (const name of Object.keys(gauges)) {
      const [, version] = /^nodejs_version_info\{.*version="v([^"]+)"/.exec(name) ?? []
      if (version !== undefined) return version
    }
  }
  return undefined
}
