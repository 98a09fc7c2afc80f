import { expect, test } from 'vitest'
import { LATENCY_BUCKETS } from '../../../contract/latency-buckets.ts'
import { bucketThresholds, isBucketMetric, splitCounters } from '../../scenarios/lib/bucket-names.ts'

test('counters are told from buckets by their name', () => {
  const { counters, histograms } = splitCounters({
    updates_ok_peak: 7,
    hb_update_latency_peak_2: 7,
    'hb_update_latency_peak_2{b:13}': 4,
    'hb_update_latency_peak_0{b:3}': 3,
    'hb_update_latency_peak_0{b:4}': 0,
    'hb_update_latency_ramp_0{b:3}': 1,
    'hb_update_latency_cool_0{b:3}': 0,
  })
  expect(counters).toEqual({ updates_ok_peak: 7 })
  expect(Object.keys(histograms)).toEqual(['update_latency_peak', 'update_latency_ramp'])
  expect(histograms.update_latency_peak?.counts).toEqual([
    [3, 3],
    [77, 4],
  ])
  expect(histograms.update_latency_ramp?.counts).toEqual([[3, 1]])
})

test('every bucket has its own name, and each name is read back as that bucket', () => {
  const names = Object.keys(bucketThresholds(['report_latency_hourly_peak']))
  expect(names).toHaveLength(LATENCY_BUCKETS.count)
  expect(names.every(isBucketMetric)).toBe(true)
  const { histograms } = splitCounters(Object.fromEntries(names.map((name) => [name, 1])))
  expect(histograms.report_latency_hourly_peak?.counts).toEqual(
    Array.from({ length: LATENCY_BUCKETS.count }, (_, index) => [index, 1]),
  )
})
