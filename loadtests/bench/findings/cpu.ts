/** Who used the CPU. */
import { list, number } from '../judge/format.ts'
import type { Facts, ProcessFacts } from './facts.ts'

export type CpuShare = { readonly name: string; readonly kind: ProcessFacts['kind']; readonly cores: number }

/** By program, most first; the API's instances together. */
export function cpuShares({ processes }: Facts): readonly CpuShare[] {
  const api = processes.filter(({ kind }) => kind === 'api')
  const others = processes
    .filter(({ kind }) => kind !== 'api')
    .map(({ name, kind, cpuCores }) => ({ name: nameOf(name), kind, cores: cpuCores.mean }))
  const together = api.reduce((sum, { cpuCores }) => sum + cpuCores.mean, 0)
  const instances = api.length === 1 ? 'the API' : `the API's ${number(api.length)} instances`
  return [...others, ...(api.length === 0 ? [] : [{ name: instances, kind: 'api' as const, cores: together }])]
    .filter(({ cores }) => cores > 0)
    .sort((a, b) => b.cores - a.cores)
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
