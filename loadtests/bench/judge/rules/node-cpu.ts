import { list, number, percent } from '@hopwhistle/platform/document/figures.ts'
import { duringPhase, invalid, mean, type Rule, remark } from '../../evidence/evidence.ts'

/** From here on a node has no CPU left, as a part of its cores. */
const SATURATED = 0.97

/** A miss is not for want of CPU on a node that a runner was on: the counterpart of `generator-cpu` in a cluster. */
export const nodeCpu: Rule = {
  name: 'node-cpu',
  check({ server, result, metrics }) {
    if (server?.kubernetes === undefined) return []
    const { nodes, pods } = server.kubernetes
    const during = duringPhase(result, server)
    return nodes.flatMap(({ name, cores, cpuCores }) => {
      const runners = pods.filter(({ kind, node }) => kind === 'k6' && node === name)
      const busy = (mean(during(cpuCores)) ?? 0) / cores
      if (runners.length === 0 || cores === 0 || busy < SATURATED) return []
      const used = runners.reduce((sum, pod) => sum + (mean(during(pod.cpuCores)) ?? 0), 0)
      const figures = `node ${name} was ${percent(busy)} busy during the peak, and its runners used ${number(used, 2)} of ${cores} cores`
      const misses = metrics.filter(({ status }) => status === 'missed').map(({ label }) => label)
      if (misses.length === 0) return [remark(`${figures}: the latencies hold the generator's own waiting for CPU`)]
      return [invalid(`generator: ${figures}, so that a miss (${list(misses)}) may be its own`)]
    })
  },
}
