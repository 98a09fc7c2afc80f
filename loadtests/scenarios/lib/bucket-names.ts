/**
 * How histogram buckets are named as k6 metrics.
 *
 * Bucket 77 of `update_latency_peak` is the sub-metric `hb_update_latency_peak_2{b:13}`: the counter of group 2,
 * tagged 13, for 77 = 2 × 32 + 13. Measured alternatives: a counter a bucket costs every VU 2.4 KB each (1 GB for
 * 500 VUs); one counter with a tag a bucket makes k6 compare every sample with all 705 tags (60 µs). Groups of 32
 * make both small.
 */
import { LATENCY_BUCKETS } from '../../../contract/latency-buckets.ts'
import type { HistogramData } from '../../results-format.ts'
import { histogramOf } from './histogram.ts'

export const BUCKETS_PER_COUNTER = 32
export const COUNTERS_PER_HISTOGRAM = Math.ceil(LATENCY_BUCKETS.count / BUCKETS_PER_COUNTER)

export const bucketCounterName = (histogram: string, group: number): string => `hb_${histogram}_${group}`

/** The k6 thresholds that make k6 keep a count for every bucket: it keeps one only of what a threshold names. */
export function bucketThresholds(histograms: readonly string[]): Record<string, string[]> {
  const thresholds: Record<string, string[]> = {}
  for (const histogram of histograms) {
    for (let index = 0; index < LATENCY_BUCKETS.count; index++) {
      const counter = bucketCounterName(histogram, Math.floor(index / BUCKETS_PER_COUNTER))
      thresholds[`${counter}{b:${index % BUCKETS_PER_COUNTER}}`] = ['count>=0']
    }
  }
  return thresholds
}

const BUCKET = /^hb_(.+)_(\d+)\{b:(\d+)\}$/
const GROUP = /^hb_.+_\d+$/

/** Whether a k6 metric is part of a histogram. */
export const isBucketMetric = (name: string): boolean => BUCKET.test(name) || GROUP.test(name)

/**
 * Sorts k6's counters into histograms and the others.
 *
 * @param counters counts by k6 metric name, of a summary or of a running k6's `/v1/metrics`; sub-metrics included
 */
export function splitCounters(counters: Readonly<Record<string, number>>): {
  readonly counters: Record<string, number>
  readonly histograms: Record<string, HistogramData>
} {
  const plain: Record<string, number> = {}
  const buckets = new Map<string, [number, number][]>()
  for (const [name, count] of Object.entries(counters)) {
    const [, histogram, group, place] = BUCKET.exec(name) ?? []
    if (histogram !== undefined) {
      const list = buckets.get(histogram) ?? []
      list.push([Number(group) * BUCKETS_PER_COUNTER + Number(place), count])
      buckets.set(histogram, list)
    } else if (!GROUP.test(name)) plain[name] = count
  }
  const histograms = Object.fromEntries(
    [...buckets]
      .map(([name, counts]) => [name, histogramOf(counts)] as const)
      .filter(([, { counts }]) => counts.length),
  )
  return { counters: plain, histograms }
}
