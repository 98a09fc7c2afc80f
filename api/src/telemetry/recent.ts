/**
 * Figures of the last seconds. Every reader gets the same ones, however often: reading changes nothing.
 *
 * Time passes when somebody asks or adds; a timer would wake an idle instance.
 */

/** A scrape every 15 s, or every 30 s, sees each of them. */
export const RECENT_MS = 30_000

const STEADY_MS = 5_000

/**
 * What is measured since it was last measured, such as a share of the time, at most every 5 s: who asks sooner is
 * told the same again.
 */
export function steady(measure: () => number, nowMs: () => number = () => performance.now()): () => number {
  let measuredAtMs = Number.NEGATIVE_INFINITY
  let value = 0
  return () => {
    const now = nowMs()
    if (now - measuredAtMs >= STEADY_MS) {
      measuredAtMs = now
      value = measure()
    }
    return value
  }
}

export type RecentMax = { add(value: number): void; read(): number }

/** The largest value of this window and the one before, so of the last 30 to 60 s; 0 when there was none. */
export function createRecentMax(windowMs = RECENT_MS, nowMs: () => number = () => performance.now()): RecentMax {
  let window = 0
  let [before, current] = [0, 0]
  function turn(): void {
    const now = Math.floor(nowMs() / windowMs)
    if (now === window) return
    before = now === window + 1 ? current : 0
    current = 0
    window = now
  }
  return {
    add: (value) => {
      turn()
      if (value > current) current = value
    },
    read: () => {
      turn()
      return Math.max(before, current)
    },
  }
}
