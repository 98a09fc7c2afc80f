export type Repeating = {
  /** Runs it now; when it runs already, once more right after. */
  now(): void
  stop(): void
}

/**
 * Runs something again and again, never twice at once.
 *
 * @param run never rejects; tells after how many milliseconds it wants to run again
 */
export function repeating(run: () => Promise<number>): Repeating {
  let timer: NodeJS.Timeout | undefined
  let running = false
  let again = false
  let stopped = false

  async function turn(): Promise<void> {
    clearTimeout(timer)
    running = true
    again = false
    const delayMs = await run()
    running = false
    if (stopped) return
    timer = setTimeout(turn, again ? 0 : delayMs)
    timer.unref()
  }

  void turn()
  return {
    now: () => {
      if (running) again = true
      else if (!stopped) void turn()
    },
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}
