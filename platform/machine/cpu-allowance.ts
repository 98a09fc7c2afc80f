/** How much of the machine's CPU this process and its children may use. */
import { availableParallelism } from 'node:os'
import { type CpuCgroup, cpuCgroupOfProcess, type ReadFile, readIfThere } from './cpu-cgroup.ts'

export type CpuAllowance = {
  /** Cores that it may run on. */
  readonly cores: number
  /** CPU time that it may use, as a number of cores; absent without a quota, or with one that is above `cores`. */
  readonly quotaCores?: number
}

export function readCpuAllowance(read: ReadFile = readIfThere): CpuAllowance {
  const cores = coresAllowed(read('/proc/self/status')) ?? availableParallelism()
  const cgroup = cpuCgroupOfProcess('self', read)
  const quotaCores = cgroup && quotaOf(cgroup, read)?.cores
  return { cores, ...(quotaCores === undefined || quotaCores >= cores ? {} : { quotaCores }) }
}

/** The usable CPU as a number of cores: load and stack together must fit. */
export const usableCores = ({ cores, quotaCores = cores }: CpuAllowance): number => Math.min(cores, quotaCores)

/** The smallest quota of the group and its parents. */
export function quotaOf(
  { version, folders }: CpuCgroup,
  read: ReadFile,
): { readonly folder: string; readonly cores: number } | undefined {
  const quotas = folders.flatMap((folder) => {
    const [quota, period] =
      version === 2
        ? (read(`${folder}/cpu.max`) ?? '').trim().split(' ')
        : [read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`)]
    const cores = Number(quota) / Number(period)
    return cores > 0 && Number.isFinite(cores) ? [{ folder, cores }] : []
  })
  return quotas.toSorted((a, b) => a.cores - b.cores)[0]
}

/** How many periods the quota has had so far, and in how many its processes were throttled. */
export function readQuotaPeriods(
  read: ReadFile = readIfThere,
): { readonly periods: number; readonly throttled: number } | undefined {
  const cgroup = cpuCgroupOfProcess('self', read)
  const quota = cgroup && quotaOf(cgroup, read)
  const stat = quota && read(`${quota.folder}/cpu.stat`)
  const count = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat ?? '')?.[1] ?? Number.NaN)
  const counts = { periods: count('nr_periods'), throttled: count('nr_throttled') }
  return Number.isNaN(counts.periods + counts.throttled) ? undefined : counts
}

/** From `Cpus_allowed` of /proc/PID/status, because Node's own count may or may not include a quota. */
function coresAllowed(status: string | undefined): number | undefined {
  const [, mask] = /^Cpus_allowed:\s*([0-9a-f,]+)$/m.exec(status ?? '') ?? []
  if (mask === undefined) return undefined
  const bits = [...mask.replaceAll(',', '')].reduce((sum, digit) => sum + BITS[Number.parseInt(digit, 16)]!, 0)
  return bits === 0 ? undefined : bits
}

const BITS = [0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4]
