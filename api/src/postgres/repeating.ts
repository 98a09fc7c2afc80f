export type Repeating = {
  /** Runs it now; when it runs already, once more right after. Resolves when that is done. */
  now(): Promise<void>
  stop(): void
}

/**
 * Runs something again and again, never twice at once.
 *
 * @param run never rejects; tells after how many milliseconds it wants to run again
 */
export function repeating(run: () => Promise<number>): Repeating {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  let stopped = false

  function turn(): Promise<void> {
    clearTimeout(timer)
    running = run().then((delayMs) => {
      running = undefined
      if (!stopped && next === undefined) timer = setTimeout(turn, delayMs).unref()
    })
    return running
  }

  void turn()
  return {
    now: () => {
      if (stopped) return Promise.resolve()
      if (running === undefined) return turn()
      next ??= running.then(() => {
        next = undefined
        return stopped ? undefined : turn()
      })
      return next
    },
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}
