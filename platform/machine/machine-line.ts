/** The machine of a measurement as text. */
import { bytes, plural } from '../document/figures.ts'
import type { CpuAllowance } from './cpu-allowance.ts'
import type { Place } from './place.ts'

/** `2 cores`, `2 cores, of which a CPU quota allows 0.5`. */
export function coresText({ cores, quotaCores }: CpuAllowance): string {
  const quota = quotaCores === undefined ? '' : `, of which a CPU quota allows ${Number(quotaCores.toFixed(2))}`
  return `${plural(cores, 'core')}${quota}`
}

/** `AMD EPYC, 2 cores, 8 GB of memory; Linux, kernel 6.1, x64`. */
export const machineLine = (machine: Place['machine']): string =>
  `${machine.cpuModel}, ${coresText(machine)}, ${bytes(machine.memoryBytes)} of memory; ${machine.os}, kernel ${machine.kernel}, ${machine.architecture}`
