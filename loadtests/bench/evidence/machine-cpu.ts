/** How much of the CPU that a run had was in use, and by whom. */
import type { Series, ServerEvidence } from '../sample/server-evidence.ts'
import { mean } from './evidence.ts'

type During = (series: Series | undefined) => readonly number[]
type Sampled = Pick<ServerEvidence, 'machine' | 'processes'>

/** The cores that a run could use: those of the machine, or what its CPU quota allows of them. */
export const usableCoresOf = ({ cores, quota }: NonNullable<Sampled['machine']>): number => quota?.cores ?? cores

/**
 * The cores in use, sample by sample. What the host takes away (steal) is gone as well; waiting for a disk is not use.
 * Of a run under a quota, what it used itself, and what others took of the machine that it could have had.
 */
export function busyCoresOf({ machine, processes }: Sampled, during: During): readonly number[] {
  if (machine === undefined) return []
  const { user, system, steal } = machine.cpuCores
  const all = sumOf([user, system, steal].map(during))
  if (machine.quota === undefined) return all
  const ours = sumOf(processes.map(({ cpuCores }) => during(cpuCores)))
  const unusable = machine.cores - machine.quota.cores
  return all.map((busy, i) => {
    const own = ours[i] ?? ours[0] ?? 0
    return own + Math.max(0, busy - own - unusable)
  })
}

export type MachineCpu = {
  /** That the run could use. */
  readonly cores: number
  readonly busy: number
  readonly k6: number
  /** Used by programs that are no part of the measurement. */
  readonly others: number
}

/** @returns averages in cores; undefined when the machine was not sampled */
export function machineCpuOf(server: ServerEvidence, during: During): MachineCpu | undefined {
  const { machine, processes } = server
  if (machine === undefined) return undefined
  const busy = mean(busyCoresOf(server, during))
  if (busy === undefined) return undefined
  const of = (those: typeof processes) => those.reduce((sum, { cpuCores }) => sum + (mean(during(cpuCores)) ?? 0), 0)
  const steal = machine.quota === undefined ? (mean(during(machine.cpuCores.steal)) ?? 0) : 0
  return {
    cores: usableCoresOf(machine),
    busy,
    k6: of(processes.filter(({ kind }) => kind === 'k6')),
    others: Math.max(0, busy - steal - of(processes)),
  }
}

/** Adds series up; a value that never changed is there once. */
function sumOf(parts: readonly (readonly number[])[]): readonly number[] {
  const samples = Math.max(0, ...parts.map((values) => values.length))
  return Array.from({ length: samples }, (_, i) =>
    parts.reduce((sum, values) => sum + (values[i] ?? values[0] ?? 0), 0),
  )
}
