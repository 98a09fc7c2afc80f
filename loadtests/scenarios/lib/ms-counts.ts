/**
 * Counts whole milliseconds, for a handler that runs ten thousand times a second: an array in JavaScript, handed to
 * k6's counters once a second.
 */
import { bucketIndex } from './histogram.ts'

export type MsCounts = {
  add(ms: number, count: number): void
  /**
   * Counts how long ago each of several times was.
   *
   * @param times Unix milliseconds
   * @param weight what each counts
   */
  addSince(times: readonly number[], now: number, weight: number): void
  /** Hands over all counts, as bucket index and count, and begins anew. */
  flush(to: (bucket: number, count: number) => void): void
}

/** Latencies from here on are counted together, bucket by bucket. */
const ARRAY_MS = 2048

export function msCounts(): MsCounts {
  const counts: number[] = new Array(ARRAY_MS).fill(0)
  const large = new Map<number, number>()
  let highest = -1
  function add(ms: number, count: number): void {
    // A clock that was set back makes a latency negative; it counts as none.
    const whole = Math.max(0, ms)
    if (whole < ARRAY_MS) {
      counts[whole] = counts[whole]! + count
      if (whole > highest) highest = whole
    } else {
      const bucket = bucketIndex(whole)
      large.set(bucket, (large.get(bucket) ?? 0) + count)
    }
  }
  return {
    add,
    addSince(times, now, weight) {
      for (let i = 0, { length } = times; i < length; i++) {
        const ms = now - times[i]!
        if (ms >= 0 && ms <= highest) counts[ms]! += weight
        else add(ms, weight)
      }
    },
    flush(to) {
      for (let ms = 0; ms <= highest; ms++) {
        const count = counts[ms] ?? 0
        if (count === 0) continue
        to(bucketIndex(ms), count)
        counts[ms] = 0
      }
      for (const [bucket, count] of large) to(bucket, count)
      large.clear()
      highest = -1
    },
  }
}
