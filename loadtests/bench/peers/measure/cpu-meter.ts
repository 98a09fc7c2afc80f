/** CPU time of servers between two moments, from /proc; Linux only. */
import { readFileSync } from 'node:fs'
import { readMachine } from '../../sample/machine.ts'
import { descendantsOf } from '../../sample/process-group.ts'

/** By what the processes are, such as `api` or `postgres primary`: their main processes. */
export type WatchedGroups = Readonly<Record<string, readonly number[]>>

export type CpuUse = {
  readonly seconds: number
  /** CPU seconds of each group: its processes, what they started, and what of that has ended meanwhile. */
  readonly cpuSeconds: Readonly<Record<string, number>>
  /** Of all cores, what nobody used: 0 to 1. */
  readonly idleShare: number
}

/** @returns what tells the use since this call */
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

const TICKS_PER_SECOND = 100

/** A server's children that ended count as its own time by then, so that the sum never shrinks. */
function groupCpu(pid: number): number {
  return descendantsOf(pid).reduce((sum, member) => sum + ticksOf(member), 0) / TICKS_PER_SECOND
}

/** utime, stime, cutime, cstime: fields 14 to 17 of /proc/PID/stat, counted after the command, which may hold spaces. */
function ticksOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0)
  } catch {
    return 0
  }
}
