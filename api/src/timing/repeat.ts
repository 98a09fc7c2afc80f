/** Work that is repeated, never twice at a time. */
export type Repeating = {
  /** Runs it now. If it is running, it runs once more right after. Resolves when that run has ended. */
  now(): Promise<void>
  /** Runs it within that time. If it is running, the time counts from its end. */
  within(ms: number): void
  /** Resolves when it no longer runs and never will. */
  stop(): Promise<void>
}

/** Until somebody asks for it. */
export const UNTIL_ASKED = Number.POSITIVE_INFINITY

/**
 * Repeats `work` until it is stopped. Its timers do not keep the process alive.
 *
 *   waiting ──time is up, now()──▶ running ──ended──▶ waiting
 *
 * @param work must not reject; returns after how many milliseconds it runs again, or `UNTIL_ASKED`
 * @param firstMs until the first run; 0 runs it at once
 */
export function repeat(work: () => Promise<number>, firstMs: number): Repeating {
  let timer: NodeJS.Timeout | undefined
  let dueAtMs = UNTIL_ASKED
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  /** Asked for during a run. */
  let withinMs = UNTIL_ASKED
  let stopped = false

  function plan(ms: number): void {
    clearTimeout(timer)
    if (stopped) return
    dueAtMs = performance.now() + ms
    if (ms !== UNTIL_ASKED) timer = setTimeout(run, ms).unref()
  }

  function run(): Promise<void> {
    clearTimeout(timer)
    withinMs = UNTIL_ASKED
    running = work().then((ms) => {
      running = undefined
      if (next === undefined) plan(Math.min(ms, withinMs))
    })
    return running
  }

  if (firstMs === 0) void run()
  else plan(firstMs)
  return {
    now: () => {
      if (stopped) return Promise.resolve()
      if (running === undefined) return run()
      next ??= running.then(() => {
        next = undefined
        return stopped ? undefined : run()
      })
      return next
    },
    within: (ms) => {
      if (running !== undefined) withinMs = Math.min(withinMs, ms)
      else if (performance.now() + ms < dueAtMs) plan(ms)
    },
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}

/** A time near `ms`, by chance: instances that started together do not stay in step. */
export function about(ms: number): number {
  return ms * (0.75 + Math.random() / 2)
}
