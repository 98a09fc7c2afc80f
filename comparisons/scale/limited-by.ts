import { number } from '@hopwhistle/platform/document/figures.ts'
import type { CpuUse } from '../measure/cpu-meter.ts'
import type { Waits } from './waits.ts'

/** Below this share of idle CPU, nothing can have more of it. */
const NO_CPU_LEFT = 0.1
/** Of a core: a process of one thread that is busier than this has no more to give. */
const PROCESS_FULL = 0.9

/**
 * The resource that kept it from being more, with the figures that say so.
 *
 * @param due what it was asked for was all done: then nothing limited it
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
