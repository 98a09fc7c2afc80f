/** What pods and nodes of a cluster may run out of. */
import { bytes, number } from '@hopwhistle/platform/document/figures.ts'
import type { Facts, KubernetesFacts } from './facts.ts'
import type { Resource } from './resource.ts'
import { SATURATED_CPU, SATURATED_MEMORY } from './saturation.ts'

export function kubernetesResources({ kubernetes }: Facts): readonly Resource[] {
  if (kubernetes === undefined) return []
  const nodes = kubernetes.nodes.map(
    ({ name, cores, cpuCores }): Resource => ({
      id: 'node cpu',
      name: `the CPU of node ${name}`,
      use: cpuCores.mean / cores,
      saturatedAt: SATURATED_CPU,
      figures: `${number(cpuCores.mean, 2)} of ${number(cores)} cores in use on average`,
    }),
  )
  // What a runner lacks is no limit of the platform: the verdict speaks of it.
  const platform = kubernetes.pods.filter(({ kind }) => kind !== 'k6')
  return [...nodes, ...platform.flatMap((pod) => [...cpu(pod), ...memory(pod)])]
}

type Pod = KubernetesFacts['pods'][number]

function cpu({ pod, cpuCores, cpuLimitCores }: Pod): readonly Resource[] {
  if (cpuLimitCores === undefined) return []
  return [
    {
      id: 'pod cpu',
      name: `the CPU of ${pod}`,
      use: cpuCores.mean / cpuLimitCores,
      saturatedAt: SATURATED_CPU,
      figures: `${number(cpuCores.mean, 2)} of the ${number(cpuLimitCores, 2)} cores of its limit on average`,
    },
  ]
}

function memory({ pod, memoryBytes, memoryLimitBytes }: Pod): readonly Resource[] {
  if (memoryBytes === undefined || memoryLimitBytes === undefined) return []
  return [
    {
      id: 'memory',
      name: `the memory of ${pod}`,
      use: memoryBytes.peak / memoryLimitBytes,
      saturatedAt: SATURATED_MEMORY,
      figures: `${bytes(memoryBytes.peak)} of the ${bytes(memoryLimitBytes)} of its limit at most`,
    },
  ]
}
