import { duringPhase, invalid, type Rule, remark } from '../evidence.ts'
import { list, number } from '../format.ts'
import { machineCpuOf } from '../machine-cpu.ts'

/** As a part of the machine: what the kernel does for the network is in nobody's account, and is less than this. */
const ALLOWED = 0.2

/** The machine was there for the measurement: what other programs used, the platform and k6 lacked. */
export const otherPrograms: Rule = {
  name: 'other-programs',
  check({ server, result, metrics }) {
    const cpu = server === undefined ? undefined : machineCpuOf(server, duringPhase(result, server))
    if (cpu === undefined || server?.processes.length === 0 || cpu.others < ALLOWED * cpu.cores) return []
    const figures = `programs that are no part of the measurement used ${number(cpu.others, 2)} of ${cpu.cores} cores`
    const misses = metrics.filter(({ status }) => status === 'missed').map(({ label }) => label)
    if (misses.length === 0) return [remark(`${figures}, which the platform and k6 lacked`)]
    return [invalid(`${figures}, so that a miss (${list(misses)}) may be their doing`)]
  },
}
