/** Unix microseconds: the time of day, and yet never the same twice nor less than before. */
export function createReceiptClock(nowMs: () => number = Date.now): () => number {
  let last = 0
  return () => {
    last = Math.max(nowMs() * 1000, last + 1)
    return last
  }
}
