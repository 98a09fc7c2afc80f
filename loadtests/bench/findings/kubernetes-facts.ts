import type { ServerEvidence } from '../sample/server-evidence.ts'
import type { During } from './during.ts'
import type { KubernetesFacts } from './facts.ts'
import { known, statOf } from './stat.ts'

/** @returns undefined when no kubelet was asked; a pod of which nothing was seen during the peak is left out */
export function kubernetesFacts({ kubernetes }: ServerEvidence, during: During): KubernetesFacts | undefined {
  if (kubernetes === undefined) return undefined
  return {
    nodes: kubernetes.nodes.flatMap(({ name, cores, cpuCores }) => {
      const cpu = statOf(during(cpuCores))
      return cpu === undefined || cores === 0 ? [] : [{ name, cores, cpuCores: cpu }]
    }),
    pods: kubernetes.pods.flatMap(({ pod, kind, cpuCores, memoryBytes, cpuLimitCores, memoryLimitBytes }) => {
      const cpu = statOf(during(cpuCores))
      if (cpu === undefined) return []
      const memory = statOf(during(memoryBytes))
      return [known({ pod, kind, cpuCores: cpu, memoryBytes: memory, cpuLimitCores, memoryLimitBytes })]
    }),
  }
}
