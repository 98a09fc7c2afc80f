/** Processes that are kept ready while others are measured: paused, they use no CPU, and stay as warm as they were. */

export const pause = (pids: readonly number[]): void => signal(pids, 'SIGSTOP')
export const resume = (pids: readonly number[]): void => signal(pids, 'SIGCONT')

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch {
      // It ended; the next request to it says so.
    }
  }
}
