import { number } from '@hopwhistle/platform/document/figures.ts'
import type { CpuUse } from '../measure/cpu-meter.ts'
import type { Waits } from './waits.ts'

/** Below this share of idle CPU, the machine has no CPU left. */
const NO_CPU_LEFT = 0.1
/** Of a core: a busier single-threaded process is saturated. */
const PROCESS_FULL = 0.9

/**
 * The resource that limited the throughput, with the figures that show it.
 *
 * @param due `all`: all due work was done, so nothing limited it
 */
export function limitedBy(cpu: CpuUse, instances: number, waits: Waits, due: 'all' | 'as much as it can'): string {
  const cores = (group: string) => (cpu.cpuSeconds[group] ?? 0) / cpu.seconds
  const busiest = Object.keys(cpu.cpuSeconds)
    .toSorted((a, b) => cores(b) - cores(a))
    .slice(0, 3)
    .map((group) => `${group} ${number(cores(group), 2)}`)
    .join(', ')
  const idle = `${number(100 * cpu.idleShare)} % idle`
  if (due === 'all') return `nothing: all due messages arrived (${idle})`
  if (cores('servers') >= PROCESS_FULL * instances)
    return `the API's own CPU: ${number(cores('servers'), 2)} of ${instances} cores (${idle})`
  if (cpu.idleShare < NO_CPU_LEFT) return `CPU of the machine, ${idle}: cores of ${busiest}`
  const [first] = waits.shares
  const waited =
    first === undefined
      ? 'no active session sampled in Postgres'
      : `${first[0]} in ${number(100 * first[1])} % of ${number(waits.seen)} samples`
  return `waiting, with ${idle}: ${waited}; cores of ${busiest}`
}
