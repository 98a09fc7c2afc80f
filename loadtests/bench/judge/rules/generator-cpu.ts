import { list, number, percent } from '@hopwhistle/platform/document/figures.ts'
import { duringPhase, invalid, type Rule, remark } from '../../evidence/evidence.ts'
import { machineCpuOf } from '../../evidence/machine-cpu.ts'
import type { Environment } from '../../sample/environment.ts'

/** From here on a machine has no CPU left, as a part of its cores. */
const SATURATED = 0.97
/** From here on k6 is one of those that used it up. */
const LARGE_SHARE = 0.25

/**
 * A miss is not for want of CPU in the generator.
 *
 * Where k6 shares the machine, it can run out of CPU together with what it measures. With the right of way it is the
 * platform that waits, and a miss is the platform's. Without it latencies hold the waiting of k6 as well: a target that
 * is met all the same is met, one that is missed may be missed by k6.
 */
export const generatorCpu: Rule = {
  name: 'generator-cpu',
  check({ server, result, metrics }) {
    const cpu = server === undefined ? undefined : machineCpuOf(server, duringPhase(result, server))
    if (cpu === undefined) return []
    const { cores, k6 } = cpu
    const busy = cpu.busy / cores
    if (busy < SATURATED || k6 < LARGE_SHARE * cores) return []
    const figures = `the machine was ${percent(busy)} busy during the peak and k6 used ${number(k6, 2)} of ${cores} cores`
    const priority = (result.environment as Partial<Environment> | undefined)?.generatorPriority
    if (priority !== undefined && priority.method !== 'none') {
      return [remark(`${figures}, with the right of way: it was the platform that waited for CPU`)]
    }
    const misses = metrics.filter(({ status }) => status === 'missed').map(({ label }) => label)
    if (misses.length === 0) return [remark(`${figures}: the latencies hold the generator's own waiting for CPU`)]
    return [invalid(`generator: ${figures}, so that a miss (${list(misses)}) may be its own`)]
  },
}
