import { list, number } from '@hopwhistle/platform/document/figures.ts'
import { duringPhase, invalid, mean, type Rule, remark } from '../../evidence/evidence.ts'

/** As a part of the machine. */
const ALLOWED = 0.05

/** The host of a virtual machine left it its CPU. */
export const stolenCpu: Rule = {
  name: 'stolen-cpu',
  check({ server, result, metrics }) {
    if (server?.machine === undefined) return []
    const { cores, cpuCores } = server.machine
    const stolen = mean(duringPhase(result, server)(cpuCores.steal)) ?? 0
    if (stolen < ALLOWED * cores) return []
    const figures = `the host took ${number(stolen, 2)} of ${cores} cores away from this machine (steal)`
    const misses = metrics.filter(({ status }) => status === 'missed').map(({ label }) => label)
    if (misses.length === 0) return [remark(figures)]
    return [invalid(`${figures}, so that a miss (${list(misses)}) may be its doing`)]
  },
}
