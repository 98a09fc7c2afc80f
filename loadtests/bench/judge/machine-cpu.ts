/** How much of a machine's CPU was in use, and by whom. */
import type { MachineEvidence, Series, ServerEvidence } from '../sample/server-evidence.ts'
import { mean } from './evidence.ts'

type During = (series: Series | undefined) => readonly number[]

/** The cores in use, sample by sample. What the host takes away (steal) is gone as well; waiting for a disk is not use. */
export function busyCoresOf({ cpuCores }: MachineEvidence, during: During): readonly number[] {
  const parts = [cpuCores.user, cpuCores.system, cpuCores.steal].map(during)
  const samples = Math.max(...parts.map((values) => values.length))
  // A value that never changed is there once.
  return Array.from({ length: samples }, (_, i) =>
    parts.reduce((sum, values) => sum + (values[i] ?? values[0] ?? 0), 0),
  )
}

export type MachineCpu = {
  readonly cores: number
  readonly busy: number
  readonly k6: number
  /** Used by programs that are no part of the measurement. */
  readonly others: number
}

/** @returns averages in cores; undefined when the machine was not sampled */
export function machineCpuOf({ machine, processes }: ServerEvidence, during: During): MachineCpu | undefined {
  if (machine === undefined) return undefined
  const busy = mean(busyCoresOf(machine, during))
  if (busy === undefined) return undefined
  const of = (those: typeof processes) => those.reduce((sum, { cpuCores }) => sum + (mean(during(cpuCores)) ?? 0), 0)
  const steal = mean(during(machine.cpuCores.steal)) ?? 0
  return {
    cores: machine.cores,
    busy,
    k6: of(processes.filter(({ kind }) => kind === 'k6')),
    others: Math.max(0, busy - steal - of(processes)),
  }
}
