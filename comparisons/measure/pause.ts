/** Pauses processes while others are measured: they use no CPU and stay warm. */

export const pause = (pids: readonly number[]): void => signal(pids, 'SIGSTOP')
export const resume = (pids: readonly number[]): void => signal(pids, 'SIGCONT')

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch {
      // It has ended; the next request to it will fail.
    }
  }
}
