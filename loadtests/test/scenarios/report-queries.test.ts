import {
  callsQuery,
  dailyQuery,
  hourlyQuery,
  nextWalk,
  seededRandom,
} from '@hopwhistle/contract/traffic/report-queries.ts'
import { expect, test } from 'vitest'
import { isReport } from '../../scenarios/lib/report-shape.ts'

const NOW = Date.parse('2026-11-24T10:00:00Z')
const DAY_MS = 86_400_000
const paramsOf = (path: string) => new URL(path, 'http://localhost').searchParams

test('ranges lie within the 30 days of history, and hardly two are the same', () => {
  const random = seededRandom(1)
  const paths = Array.from({ length: 500 }, (_, i) => (i % 2 ? hourlyQuery : dailyQuery)(random, NOW))
  for (const path of paths) {
    const [from, to] = ['from', 'to'].map((name) => Date.parse(paramsOf(path).get(name)!))
    expect(to!).toBeLessThanOrEqual(NOW)
    expect(from!).toBeGreaterThanOrEqual(NOW - 30 * DAY_MS - 60_000)
    expect(from!).toBeLessThan(to!)
  }
  expect(new Set(paths).size).toBeGreaterThan(490)
})

test('a list is walked page by page with the same filter, and left after a few', () => {
  const random = seededRandom(2)
  const first = callsQuery(random, NOW, undefined)
  let walk = nextWalk(first.filter, 0, 'abc=')
  expect(callsQuery(random, NOW, walk).path).toBe(`${first.path}&cursor=abc%3D`)
  let pages = 1
  for (; walk !== undefined; pages++) walk = nextWalk(walk.filter, walk.page, 'abc=')
  expect(pages).toBe(6)
  expect(nextWalk(first.filter, 0, null)).toBeUndefined()
})

test('the same seed asks the same', () => {
  expect(callsQuery(seededRandom(3), NOW, undefined)).toEqual(callsQuery(seededRandom(3), NOW, undefined))
})

test('a 200 with an empty or foreign body is no report', () => {
  const provenance = { source: 'cache', asOf: '2026-11-24T10:00:00Z' }
  expect(isReport('calls', { ...provenance, calls: [], nextCursor: null })).toBe(true)
  expect(isReport('hourly', { ...provenance, totals: {}, buckets: [{}] })).toBe(true)
  for (const body of [undefined, null, '', {}, { calls: [], nextCursor: null }, { ...provenance, calls: [] }]) {
    expect(isReport('calls', body)).toBe(false)
  }
  expect(isReport('daily', { ...provenance, totals: {}, buckets: [] })).toBe(false)
})
