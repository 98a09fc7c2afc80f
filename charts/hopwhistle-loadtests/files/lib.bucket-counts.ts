/** Counts latencies in buckets in plain JavaScript, to be handed to k6's counters once a second. */
import { bucketIndex } from './lib.histogram.ts'

export type BucketCounts = {
  add(ms: number): void
  /** Hands over all counts and begins anew. */
  flush(to: (bucket: number, count: number) => void): void
}

export function bucketCounts(): BucketCounts {
  const counts = new Map<number, number>()
  return {
    add(ms) {
      const bucket = bucketIndex(ms)
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
    },
    flush(to) {
      counts.forEach((count, bucket) => {
        to(bucket, count)
      })
      counts.clear()
    },
  }
}
