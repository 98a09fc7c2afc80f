/** Runs `work` again and again, `everyMs` after it has ended, never twice at a time. */
export type Repeating = {
  /** Resolves when it no longer runs and never will. */
  stop(): Promise<void>
}

/** @param work must not reject */
export function repeat(everyMs: () => number, work: () => Promise<void>): Repeating {
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let timer = plan()

  function plan(): NodeJS.Timeout {
    return setTimeout(() => {
      running = work().finally(() => {
        if (!stopped) timer = plan()
      })
    }, everyMs()).unref()
  }
  return {
    stop: () => {
      stopped = true
      clearTimeout(timer)
      return running
    },
  }
}
