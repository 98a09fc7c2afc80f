import {
  CSV,
  changesQuery,
  exportEnd,
  exportEndpointOf,
  feedFrom,
  NDJSON,
} from '@hopwhistle/contract/traffic/export-queries.ts'
import { signedText, statusCallbacks } from '@hopwhistle/contract/traffic/provider-callbacks.ts'
import { seededRandom } from '@hopwhistle/contract/traffic/report-queries.ts'
import { type ZONE_ENDPOINTS, ZONES, zoneEndpointOf, zoneQuery } from '@hopwhistle/contract/traffic/zone-queries.ts'
import { expect, test } from 'vitest'
import { isFeedPage, isZoneReport } from '../../scenarios/lib/report-shape.ts'

const NOW = Date.parse('2026-11-24T10:00:00Z')
const paramsOf = (path: string) => new URL(path, 'http://localhost').searchParams
const asked = (endpoint: (typeof ZONE_ENDPOINTS)[number]) => {
  const random = seededRandom(1)
  return Array.from({ length: 400 }, () => zoneQuery(endpoint, random, NOW))
}

test('metrics are asked for in every zone and granularity, hardly two alike', () => {
  const paths = asked('zoned')
  expect(new Set(paths).size).toBeGreaterThan(390)
  expect(new Set(paths.map((path) => paramsOf(path).get('timezone')))).toEqual(new Set(ZONES))
  const granularities = new Set(paths.map((path) => paramsOf(path).get('granularity')))
  expect(granularities).toEqual(new Set(['hour', 'day', 'week', 'month']))
  expect(paths.some((path) => paramsOf(path).has('weekStart'))).toBe(true)
})

test('filters and groups ask for half a day at most, which the calls themselves are read for', () => {
  for (const endpoint of ['filtered', 'grouped'] as const)
    for (const path of asked(endpoint)) {
      const [from, to] = ['from', 'to'].map((name) => Date.parse(paramsOf(path).get(name)!))
      expect(to! - from!).toBeLessThanOrEqual(12.1 * 3_600_000)
      expect(paramsOf(path).has('groupBy')).toBe(endpoint === 'grouped')
    }
  const groups = new Set(asked('grouped').map((path) => paramsOf(path).get('groupBy')))
  expect(groups).toEqual(new Set(['direction', 'state', 'from', 'to', 'label:campaign', 'label:source', 'label:agent']))
})

test('every kind of request has its share', () => {
  const shares = (of: (i: number) => string) => {
    const asked = Map.groupBy(
      Array.from({ length: 100 }, (_, i) => of(i)),
      (name) => name,
    )
    return Object.fromEntries([...asked].map(([name, list]) => [name, list.length]))
  }
  expect(shares(zoneEndpointOf)).toEqual({ zoned: 60, filtered: 20, grouped: 20 })
  expect(shares(exportEndpointOf)).toEqual({ changes: 85, export: 5, table: 10 })
})

test('metrics in another zone, or whose groups do not add up, are not what was asked for', () => {
  const report = { source: 'cache', asOf: '2026-11-24T10:00:00Z', totals: { calls: 3 }, buckets: [{}] }
  const zoned = '/m?granularity=day&timezone=Asia%2FKolkata'
  expect(isZoneReport(zoned, { ...report, timezone: 'Asia/Kolkata' })).toBe(true)
  expect(isZoneReport(zoned, { ...report, timezone: 'UTC' })).toBe(false)
  expect(isZoneReport(zoned, report)).toBe(false)
  const grouped = '/m?granularity=day&groupBy=from'
  expect(isZoneReport(grouped, { ...report, groups: [{ calls: 1 }, { calls: 2 }] })).toBe(true)
  expect(isZoneReport(grouped, { ...report, groups: [{ calls: 1 }] })).toBe(false)
  expect(isZoneReport(grouped, report)).toBe(false)
})

test('the feed is asked on from its cursor with the time that it began with', () => {
  const place = feedFrom(NOW)
  expect(paramsOf(changesQuery(place)).get('updatedSince')).toBe('2026-11-24T09:59:00.000Z')
  const next = paramsOf(changesQuery({ ...place, cursor: 'a/b=' }))
  expect([next.get('updatedSince'), next.get('cursor')]).toEqual(['2026-11-24T09:59:00.000Z', 'a/b='])
  expect(isFeedPage({ calls: [], nextCursor: 'a', more: false })).toBe(true)
  for (const body of [null, {}, { calls: [], nextCursor: null, more: false }, { calls: [], nextCursor: 'a' }])
    expect(isFeedPage(body)).toBe(false)
})

test('an export ends with the cursor of its last line; one that was cut is none', () => {
  const head = 'callId,state,cursor\r\n'
  expect(exportEnd(CSV, `${head}c-1,BUSY,abc\r\nc-2,"a,b",def\r\n`)).toEqual({ lines: 2, cursor: 'def' })
  expect(exportEnd(CSV, `${head}c-1,BUSY,\r\n`)).toEqual({ lines: 1, cursor: null })
  expect(exportEnd(CSV, head)).toEqual({ lines: 0, cursor: null })
  expect(exportEnd(CSV, `${head}c-1,BU`)).toBeUndefined()
  expect(exportEnd(CSV, '{"code":"internal"}\n')).toBeUndefined()
  const line = (cursor: string | null) => `${JSON.stringify({ callId: 'c', cursor })}\n`
  expect(exportEnd(NDJSON, line('a') + line('b'))).toEqual({ lines: 2, cursor: 'b' })
  expect(exportEnd(NDJSON, line(null))).toEqual({ lines: 1, cursor: null })
  expect(exportEnd(NDJSON, '')).toEqual({ lines: 0, cursor: null })
  expect(exportEnd(NDJSON, line('a').slice(0, -4))).toBeUndefined()
})

test('a call is reported in four callbacks, and what is signed is as the documentation of Twilio has it', () => {
  const next = statusCallbacks('run.t1', { from: '+1', to: '+2' })
  const callbacks = Array.from({ length: 5 }, () => next(new Date(NOW)))
  expect(callbacks.map(({ CallSid, CallStatus, SequenceNumber }) => [CallSid, CallStatus, SequenceNumber])).toEqual([
    ['run.t1.0', 'initiated', '0'],
    ['run.t1.0', 'ringing', '1'],
    ['run.t1.0', 'in-progress', '2'],
    ['run.t1.0', 'completed', '3'],
    ['run.t1.1', 'initiated', '0'],
  ])
  expect(callbacks[0]?.Timestamp).toBe('Tue, 24 Nov 2026 10:00:00 +0000')
  expect(signedText('https://example.com/x?a=1', { To: '2', CallSid: 'C', From: '1' })).toBe(
    'https://example.com/x?a=1CallSidCFrom1To2',
  )
})
