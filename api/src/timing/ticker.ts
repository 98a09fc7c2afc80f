/**
 * A timer that runs only while it has something to do, so that an idle instance sleeps.
 *
 * resting ──wake()──▶ ticking ──a tick says that nothing is left──▶ resting
 */
export type Ticker = {
  /** Begins to tick, `everyMs` from now, unless it does already. Costs next to nothing: call it for every request. */
  wake(): void
  /** For good: it cannot be woken any more. */
  stop(): void
}

/** @param tick returns whether something is left for the next tick */
export function createTicker(everyMs: number, tick: () => boolean): Ticker {
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  function rest(): void {
    clearInterval(timer)
    timer = undefined
  }
  return {
    wake: () => {
      if (timer !== undefined || stopped) return
      timer = setInterval(() => {
        if (!tick()) rest()
      }, everyMs)
      timer.unref()
    },
    stop: () => {
      stopped = true
      rest()
    },
  }
}
