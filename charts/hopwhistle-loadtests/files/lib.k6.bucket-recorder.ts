/** Counts latencies in buckets, as k6 Counters. Runs inside k6, in the init context. */
import { Counter } from 'k6/metrics'
import { BUCKETS_PER_COUNTER, bucketCounterName, COUNTERS_PER_HISTOGRAM } from './lib.bucket-names.ts'
import { bucketIndex } from './lib.histogram.ts'

export type BucketRecorder = {
  /** Counts one latency. */
  record(ms: number): void
  /** Adds a count to a bucket: for callers that count by themselves and hand over now and then. */
  add(index: number, count: number): void
}

const TAGS = Array.from({ length: BUCKETS_PER_COUNTER }, (_, place) => ({ b: String(place) }))

export function bucketRecorder(histogram: string): BucketRecorder {
  const counters = Array.from(
    { length: COUNTERS_PER_HISTOGRAM },
    (_, group) => new Counter(bucketCounterName(histogram, group)),
  )
  const add = (index: number, count: number): void => {
    const group = Math.floor(index / BUCKETS_PER_COUNTER)
    counters[group]?.add(count, TAGS[index - group * BUCKETS_PER_COUNTER])
  }
  return { add, record: (ms) => add(bucketIndex(ms), 1) }
}
