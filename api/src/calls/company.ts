/**
 * Learns whether waiting for more events before a commit pays.
 *
 * A commit of one event costs the database nearly as much as one of ten. But waiting only helps when others come: senders
 * that wait for each answer before they send the next event all come at once, and then nobody comes. So a wait during
 * which nobody came, after the first `AT_ONCE_MS`, counts against the next ones. Two in a row are chance; from the third on
 * it pauses for 4, 12, 28 and then 60 batches between attempts. One wait that brought company starts over. It begins with
 * the longest pause, so that an instance without load commits at once.
 */
export type Company = {
  /** How long the next batch may wait, in milliseconds; 0 while waiting brings nobody. */
  patienceMs(): number
  /** A batch left, after so long a wait, and its last item came so long after its first. */
  left(waitedMs: number, lastCameMs: number): void
}

/** Events that arrive within this time of the first would have shared a batch without waiting. */
const AT_ONCE_MS = 2
const MISSES_MAX = 6
/** In batches. */
const pauseAfter = (misses: number): number => Math.max(0, 2 ** misses - 4)

export function createCompany(waitMs: number): Company {
  let misses = MISSES_MAX
  let pause = pauseAfter(misses)
  return {
    patienceMs: () => (pause > 0 ? 0 : waitMs),
    left: (waitedMs, lastCameMs) => {
      if (pause > 0) pause -= 1
      else if (lastCameMs > AT_ONCE_MS) misses = 0
      else if (waitedMs >= waitMs) {
        misses = Math.min(MISSES_MAX, misses + 1)
        pause = pauseAfter(misses)
      }
    },
  }
}
