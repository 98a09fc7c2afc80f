const BEAT_MS = 1_000

/**
 * Milliseconds until the next beat, which comes once a second, for everyone in this process in the same moment. Between
 * half a second and one and a half.
 *
 * What is done once a second, and need not be done at a moment of its own, is done on the beat: an idle process wakes up
 * once for all of it. Most of the cost is waking up, and code that has left the caches of the core.
 */
export function untilBeatMs(nowMs = performance.now()): number {
  const leftMs = Math.ceil(BEAT_MS - (nowMs % BEAT_MS))
  // A timer may come up to a millisecond early; the beat that it was for is over then.
  return leftMs < BEAT_MS / 2 ? leftMs + BEAT_MS : leftMs
}
