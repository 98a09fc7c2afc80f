/** Who used the CPU. */
import { list, number } from '@hopwhistle/platform/document/figures.ts'
import type { Facts, OtherProgramFacts, ProcessFacts } from './facts.ts'

export type CpuShare = { readonly name: string; readonly kind: ProcessFacts['kind'] | 'other'; readonly cores: number }

/** Less than this, as a part of the machine, is the kernel's own work and the blur of two ways of counting. */
const LEAST_OTHERS = 0.05

/** By program, most first; the API's instances together, and what is no part of the measurement as one. */
export function cpuShares({ processes, machine, otherPrograms: named = [] }: Facts): readonly CpuShare[] {
  const api = processes.filter(({ kind }) => kind === 'api')
  const others = processes
    .filter(({ kind }) => kind !== 'api')
    .map(({ name, kind, cpuCores }) => ({ name: nameOf(name), kind, cores: cpuCores.mean }))
  const together = api.reduce((sum, { cpuCores }) => sum + cpuCores.mean, 0)
  const instances = api.length === 1 ? 'the API' : `the API's ${number(api.length)} instances`
  return [
    ...others,
    ...(api.length === 0 ? [] : [{ name: instances, kind: 'api' as const, cores: together }]),
    ...otherPrograms(processes, machine, named),
  ]
    .filter(({ cores }) => cores > 0)
    .sort((a, b) => b.cores - a.cores)
}

function otherPrograms(
  processes: Facts['processes'],
  machine: Facts['machine'],
  named: readonly OtherProgramFacts[],
): readonly CpuShare[] {
  if (machine === undefined || processes.length === 0) return []
  const ours = processes.reduce((sum, { cpuCores }) => sum + cpuCores.mean, 0)
  const cores = machine.busyCores.mean - (machine.stealCores?.mean ?? 0) - ours
  if (cores < LEAST_OTHERS * machine.cores) return []
  const names = named.filter(({ cores }) => cores >= LEAST_OTHERS * machine.cores).map(({ name }) => name)
  return [{ name: `other programs${names.length === 0 ? '' : ` (${names.join(', ')})`}`, kind: 'other', cores }]
}

const nameOf = (process: string): string =>
  process
    .replace('postgres primary', 'the primary')
    .replace('postgres replica', 'the replica')
    .replace(/^redis$/, 'Redis')
    .replace(/^sampler$/, 'the sampler')

/** `k6 0.92, the API's 3 instances 0.61 and Redis 0.05`; the smallest are left out. */
export const cpuText = (facts: Facts, least = 0.01): string =>
  list(
    cpuShares(facts)
      .filter(({ cores }) => cores >= least)
      .map(({ name, cores }) => `${name} ${number(cores, 2)}`),
  )
