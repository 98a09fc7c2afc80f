/** CPU time of servers between two moments, from /proc; Linux only. */
import { readdirSync, readFileSync } from 'node:fs'
import { descendantsOf } from '@hopwhistle/platform/machine/process-group.ts'
import { readProcessStat } from '@hopwhistle/platform/machine/process-stat.ts'
import { readMachine } from '@hopwhistle/platform/machine/read-machine.ts'

/** Main processes by group, such as `api` or `postgres primary`. */
export type WatchedGroups = Readonly<Record<string, readonly number[]>>

export type CpuUse = {
  readonly seconds: number
  /** CPU seconds of each group, with its child processes, also those that have ended. */
  readonly cpuSeconds: Readonly<Record<string, number>>
  /** The idle share of all cores: 0 to 1. */
  readonly idleShare: number
}

/** @returns a function that gives the use since this call */
export function startCpuMeter(groups: WatchedGroups): () => CpuUse {
  const read = () => ({
    at: performance.now(),
    machine: readMachine().cpuSeconds,
    groups: Object.entries(groups).map(([name, pids]) => [name, pids.reduce((sum, pid) => sum + groupCpu(pid), 0)]),
  })
  const before = read()
  return () => {
    const after = read()
    const grown = (name: keyof typeof before.machine) => after.machine[name] - before.machine[name]
    const all = grown('user') + grown('system') + grown('iowait') + grown('steal') + grown('idle')
    return {
      seconds: (after.at - before.at) / 1000,
      cpuSeconds: Object.fromEntries(
        after.groups.map(([name, value], i) => [name, (value as number) - (before.groups[i]![1] as number)]),
      ),
      idleShare: all === 0 ? 1 : (grown('idle') + grown('iowait')) / all,
    }
  }
}

/** The time of children that ended is then part of their parent's, so the sum never shrinks. */
function groupCpu(pid: number): number {
  return descendantsOf(pid).reduce((sum, member) => sum + cpuOf(member), 0)
}

/**
 * `stat` counts all threads that a process ever had, in hundredths of a second. `schedstat` counts in nanoseconds, so it
 * also shows an idle process, but leaves out threads that ended. The larger of both is nearer to the truth.
 */
function cpuOf(pid: number): number {
  try {
    const { cpuSeconds, childrenCpuSeconds } = readProcessStat(pid)
    return Math.max(cpuSeconds, cpuOfThreads(pid)) + childrenCpuSeconds
  } catch {
    return 0
  }
}

/** @returns 0 where the kernel does not count it */
function cpuOfThreads(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
      const [ns] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')
      return sum + Number(ns) / 1e9
    }, 0)
  } catch {
    return 0
  }
}
