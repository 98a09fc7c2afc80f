/** The check that makes a comparison of reports valid: it must fail for each kind of difference. */
import { expect, test } from 'vitest'
import type { PlainMetrics } from '../reports/plain-sql.ts'
import { compareAnswers, DifferentAnswers, type MetricsReport } from '../reports/same-answers.ts'

const HOUR = '2026-01-30T10:00:00Z'
const states = { INITIATED: 0, RINGING: 1, ANSWERED: 0, COMPLETED: 9, BUSY: 0, NO_ANSWER: 0, FAILED: 0, CANCELED: 0 }
const counts = { calls: 10, connected: 9, inbound: 7, outbound: 3, states }
const plainDuration = { count: 9, averageMs: 10_000.4, percentilesMs: [10_000, 20_000, 30_000] }
const plain: PlainMetrics = { start: Date.parse(HOUR), ...counts, ring: plainDuration, talk: plainDuration }
const duration = { count: 9, averageMs: 10_000, p50Ms: 10_080, p95Ms: 19_850, p99Ms: 30_000 }
const bucket = { start: HOUR, ...counts, ring: duration, talk: duration }
const empty = { ...bucket, start: '2026-01-30T11:00:00Z', calls: 0 }
const report = (hour: typeof bucket = bucket): MetricsReport => ({ totals: bucket, buckets: [hour, empty] })
const whole = { ...plain, start: null }

test('the same counts, averages to the millisecond and percentiles to one percent are the same answer', () => {
  expect(compareAnswers(report(), [whole, plain])).toBe(1)
})

test.each([
  ['a call more', { calls: 11 }, 'calls is 11 in the report and 10'],
  ['a call in another state', { states: { ...states, BUSY: 1 } }, 'BUSY is 1 in the report and 0'],
  ['a duration more', { ring: { ...duration, count: 10 } }, 'ring.count is 10'],
  ['an average 2 ms off', { talk: { ...duration, averageMs: 10_003 } }, 'talk.averageMs is 10003'],
  ['a percentile 2 % off', { ring: { ...duration, p95Ms: 20_400 } }, 'ring.p95Ms is 20400'],
])('%s is another answer', (_, change, told) => {
  const compare = () => compareAnswers(report({ ...bucket, ...change }), [whole, plain])
  expect(compare).toThrow(DifferentAnswers)
  expect(compare).toThrow(told)
})

test('an hour that only one of them has is another answer', () => {
  expect(() => compareAnswers({ totals: bucket, buckets: [] }, [whole, plain])).toThrow('is missing from the report')
  expect(() => compareAnswers(report(), [whole])).toThrow('10 calls in the report only')
})
