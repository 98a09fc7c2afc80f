/** What Linux says of a process in /proc/PID/stat (proc_pid_stat(5)). */
import { readFileSync } from 'node:fs'

export type ProcessStat = {
  /** The name of its program, cut by the kernel after 15 characters. */
  readonly command: string
  /** One letter: R runs, S sleeps, Z has ended and is not collected yet. */
  readonly state: string
  readonly parent: number
  /** CPU seconds of all threads that it ever had. */
  readonly cpuSeconds: number
  /** The same of its children that have ended. */
  readonly childrenCpuSeconds: number
  readonly threads: number
  /** Clock ticks between the start of the machine and its own. Identifies it together with its id. */
  readonly started: string
  /** Scheduling class, as in sched(7): 0 is the usual one, 3 that of batch work. */
  readonly policy: number
}

/** Linux counts CPU time in hundredths of a second on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** @throws the error of the file system when the process has ended, or outside Linux */
export function readProcessStat(pid: number): ProcessStat {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const end = stat.lastIndexOf(')')
  // From the third field on: the second is the command, which may contain spaces and parentheses.
  const fields = stat.slice(end + 2).split(' ')
  const field = (number: number): string => fields[number - 3] ?? ''
  const seconds = (number: number): number => Number(field(number)) / TICKS_PER_SECOND
  return {
    command: stat.slice(stat.indexOf('(') + 1, end),
    state: field(3),
    parent: Number(field(4)),
    cpuSeconds: seconds(14) + seconds(15),
    childrenCpuSeconds: seconds(16) + seconds(17),
    threads: Number(field(20)),
    started: field(22),
    policy: Number(field(41)),
  }
}
