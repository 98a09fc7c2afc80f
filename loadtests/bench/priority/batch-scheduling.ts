/**
 * Linux's class for batch work (SCHED_BATCH, sched(7)): a thread that wakes up waits until the running one pauses or has
 * had its time slice. Its share of the CPU stays the same.
 *
 * The platform writes a live frame to hundreds of sockets in a row. Without this, a generator with the right of way
 * interrupts it after each write, reads one frame and sleeps again (docs/decisions/0014).
 */
import { spawnSync } from 'node:child_process'
import { readProcessStat } from '@hopwhistle/platform/machine/process-stat.ts'

/** util-linux has it, and so has BusyBox. */
const IN_BATCH_CLASS = ['chrt', '-b', '0'] as const
const SCHED_BATCH = 3

/**
 * @returns the command line that runs `command` in the batch class; `command` itself where there is no such class, no
 *   `chrt`, or no permission
 * @example inBatchClass(['k6', 'run', 'x.ts']) // ['chrt', '-b', '0', 'k6', 'run', 'x.ts']
 */
export function inBatchClass(command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  const [chrt, ...args] = IN_BATCH_CLASS
  const isAllowed = process.platform === 'linux' && spawnSync(chrt, [...args, 'true']).status === 0
  return isAllowed ? [...IN_BATCH_CLASS, ...command] : command
}

/** Whether a process is in the batch class; false when it has ended. */
export function isInBatchClass(pid: number): boolean {
  try {
    return readProcessStat(pid).policy === SCHED_BATCH
  } catch {
    return false
  }
}
