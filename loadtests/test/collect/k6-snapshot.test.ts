import fc from 'fast-check'
import { expect, test } from 'vitest'
import { snapshotOf, subtractSnapshots } from '../../bench/collect/k6-snapshot.ts'
import { totalsOf } from '../../scenarios/lib/totals.ts'

const counter = (id: string, count: number) => ({ id, attributes: { type: 'counter', sample: { count } } })

test("k6's own counters are named as in a result, buckets become histograms, the rest is left out", () => {
  const snapshot = snapshotOf([
    counter('http_reqs', 7),
    counter('updates_ok_peak', 5),
    counter('hb_update_latency_peak_2', 4),
    counter('hb_update_latency_peak_2{b:13}', 4),
    { id: 'vus', attributes: { type: 'gauge' } },
  ])
  expect(snapshot.counters).toEqual({ k6_http_reqs: 7, updates_ok_peak: 5 })
  expect(snapshot.histograms.update_latency_peak?.counts).toEqual([[77, 4]])
})

test('what passed between two readings is their difference, and names that stood still are left out', () => {
  const before = snapshotOf([counter('updates_ok_ramp', 5), counter('hb_x_0', 2), counter('hb_x_0{b:3}', 2)])
  const after = snapshotOf([
    counter('updates_ok_ramp', 5),
    counter('updates_ok_peak', 3),
    counter('hb_x_0', 6),
    counter('hb_x_0{b:3}', 2),
    counter('hb_x_0{b:4}', 4),
  ])
  const { counters, histograms } = subtractSnapshots(after, before)
  expect(counters).toEqual({ updates_ok_peak: 3 })
  expect(histograms.x?.counts).toEqual([[4, 4]])
})

test('readings of several runners, cut into windows, add up to the last reading of all', () => {
  const steps = fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { minLength: 1, maxLength: 10 })
  fc.assert(
    fc.property(steps, (steps) => {
      let totals = [0, 0]
      let before = totalsOf([])
      let windows = 0
      for (const [a, b] of steps) {
        totals = [totals[0]! + a, totals[1]! + b]
        const now = totalsOf(totals.map((count) => snapshotOf([counter('sent', count), counter('hb_x_0{b:1}', count)])))
        windows += subtractSnapshots(now, before).counters.sent ?? 0
        before = now
      }
      const all = totals[0]! + totals[1]!
      expect(windows).toBe(all)
      expect(before.histograms.x?.counts ?? []).toEqual(all === 0 ? [] : [[1, all]])
    }),
  )
})
