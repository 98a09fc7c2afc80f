import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../../platform/lib/wait-until.ts'
import { freshDatabase } from '../../../../platform/test-support/fresh-database.ts'
import { compareZones, startZoneComparison } from '../../../src/reporting/zones/compare-zones.ts'
import { QUARTER_MS } from '../../../src/reporting/zones/quarter.ts'
import { findTimeZone, type TimeZone } from '../../../src/reporting/zones/time-zone.ts'
import type { Weekday, ZoneGranularity } from '../../../src/reporting/zones/zone-buckets.ts'
import { WEEKDAYS, ZONE_GRANULARITIES, zoneBuckets } from '../../../src/reporting/zones/zone-buckets.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'

const DAY = 24 * 3_600_000
let postgres: pg.Pool
/** Zones that both know, by names that both take: with links to other zones, such as Asia/Calcutta. */
let zones: readonly string[]
beforeAll(async () => {
  postgres = new pg.Pool({ connectionString: (await freshDatabase()).ownerUrl, max: 1 })
  const { rows } = await postgres.query<{ name: string }>(
    `select name from pg_timezone_names where name !~ '^(posix|right|SystemV)/' order by name`,
  )
  const known = rows.map(({ name }) => name).filter((name) => findTimeZone(name) !== undefined)
  // Their data may be of different ages: then no arithmetic can make them agree.
  const differing = await compareZones(postgres, new Date('2018-07-01T00:00:00Z'), known, 19 * 366)
  if (differing.length > 0) console.info(`of other rules in Postgres: ${differing.map(({ zone }) => zone).join(', ')}`)
  zones = known.filter((name) => differing.every(({ zone }) => zone !== name))
  expect(zones.length).toBeGreaterThan(0.9 * known.length)
}, 60_000)
afterAll(() => postgres.end())

const zone = (name: string) => findTimeZone(name) as TimeZone
const labels = (name: string, granularity: ZoneGranularity, from: string, to: string, weekStart?: Weekday) =>
  zoneBuckets(zone(name), granularity, Date.parse(from), Date.parse(to), weekStart).labels
const lengths = (name: string, granularity: ZoneGranularity, from: string, to: string) => {
  const { borders } = zoneBuckets(zone(name), granularity, Date.parse(from), Date.parse(to))
  return borders.slice(1).map((border, i) => (border - (borders[i] as number)) / 3_600_000)
}

test('a day in which the clocks go forward has 23 hours, and one in which they go back has 25', () => {
  expect(lengths('Europe/Berlin', 'day', '2026-03-28T00:00:00Z', '2026-03-30T00:00:00Z')).toEqual([24, 23, 24])
  expect(lengths('Europe/Berlin', 'day', '2026-10-24T00:00:00Z', '2026-10-26T00:00:00Z')).toEqual([24, 25, 24])
  expect(labels('Europe/Berlin', 'hour', '2026-03-29T00:00:00Z', '2026-03-29T02:00:00Z')).toEqual([
    '2026-03-29T01:00:00+01:00',
    '2026-03-29T03:00:00+02:00',
    '2026-03-29T04:00:00+02:00',
  ])
})

test('an hour that the clocks repeat is there twice, each with its offset', () => {
  expect(labels('America/New_York', 'hour', '2026-11-01T04:00:00Z', '2026-11-01T07:00:00Z')).toEqual([
    '2026-11-01T00:00:00-04:00',
    '2026-11-01T01:00:00-04:00',
    '2026-11-01T01:00:00-05:00',
    '2026-11-01T02:00:00-05:00',
  ])
  // Lord Howe's clocks go back by half an hour: half of it is repeated.
  expect(labels('Australia/Lord_Howe', 'hour', '2026-04-04T14:00:00Z', '2026-04-04T16:30:00Z')).toEqual([
    '2026-04-05T01:00:00+11:00',
    '2026-04-05T01:30:00+10:30',
    '2026-04-05T02:00:00+10:30',
    '2026-04-05T03:00:00+10:30',
  ])
})

test('a day begins at its first moment: clocks that go forward at midnight leave none, and a date may be skipped', () => {
  expect(labels('Asia/Beirut', 'day', '2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z')).toEqual([
    '2026-03-28T00:00:00+02:00',
    '2026-03-29T01:00:00+03:00',
    '2026-03-30T00:00:00+03:00',
  ])
  expect(labels('Pacific/Apia', 'day', '2011-12-29T12:00:00Z', '2011-12-30T20:00:00Z')).toEqual([
    '2011-12-29T00:00:00-10:00',
    '2011-12-31T00:00:00+14:00',
    '2012-01-01T00:00:00+14:00',
  ])
})

test('zones of half and three quarters of an hour, and zone rules that have changed', () => {
  expect(labels('Asia/Kolkata', 'hour', '2026-12-01T10:00:00Z', '2026-12-01T10:31:00Z')).toEqual([
    '2026-12-01T15:00:00+05:30',
    '2026-12-01T16:00:00+05:30',
    '2026-12-01T17:00:00+05:30',
  ])
  expect(labels('Asia/Kathmandu', 'day', '2026-12-01T10:00:00Z', '2026-12-01T10:01:00Z')).toEqual([
    '2026-12-01T00:00:00+05:45',
    '2026-12-02T00:00:00+05:45',
  ])
  // Venezuela went back by half an hour in 2007, and forward in 2016.
  expect(labels('America/Caracas', 'day', '2016-04-30T12:00:00Z', '2016-05-01T12:00:00Z')).toEqual([
    '2016-04-30T00:00:00-04:30',
    '2016-05-01T00:00:00-04:30',
    '2016-05-02T00:00:00-04:00',
  ])
})

test('weeks begin on Monday, or on the day that was asked for, and months on the first', () => {
  const [from, to] = ['2026-12-01T10:00:00Z', '2026-12-08T10:00:00Z']
  expect(labels('Europe/Berlin', 'week', from, to)).toEqual([
    '2026-11-30T00:00:00+01:00',
    '2026-12-07T00:00:00+01:00',
    '2026-12-14T00:00:00+01:00',
  ])
  expect(labels('America/New_York', 'week', from, to, 'sunday')[0]).toBe('2026-11-29T00:00:00-05:00')
  expect(labels('UTC', 'week', from, to, 'saturday')[0]).toBe('2026-11-28T00:00:00Z')
  expect(labels('Europe/Berlin', 'month', '2026-10-05T00:00:00Z', '2026-11-01T00:00:00Z')).toEqual([
    '2026-10-01T00:00:00+02:00',
    '2026-11-01T00:00:00+01:00',
    '2026-12-01T00:00:00+01:00',
  ])
})

test('a zone is known by its IANA name in any case, and by nothing else', () => {
  for (const name of ['Europe/Berlin', 'europe/berlin', 'Asia/Calcutta', 'US/Eastern', 'Etc/GMT+5', 'UTC', 'EST5EDT']) {
    expect(findTimeZone(name)?.name, name).toBe(name)
  }
  for (const name of [
    '',
    'Berlin',
    'PST',
    'IST',
    '+05:30',
    'SystemV/EST5',
    'Etc/Unknown',
    'Europe/',
    '../x',
    'GMT+5',
  ]) {
    expect(findTimeZone(name), name).toBeUndefined()
  }
})

/** How long a range of a granularity is asked for here, in days: as many rows in Postgres. */
const LONGEST: Readonly<Record<ZoneGranularity, number>> = { hour: 20, day: 120, week: 300, month: 400 }

/** What a moment belongs to, by the arithmetic of Postgres: local time and, of an hour, its offset. */
const GROUP: Readonly<Record<ZoneGranularity, string>> = {
  hour: `date_trunc('hour', local)::text || (local - at at time zone 'UTC')::text`,
  day: `local::date::text`,
  week: `date_trunc('week', local - make_interval(days => $4::integer))::text`,
  month: `date_trunc('month', local)::text`,
}

test('buckets are what Postgres makes of every quarter of an hour, in any zone of the world and any range', async () => {
  const range = fc.record({
    zone: fc.nat().map((n) => zones[n % zones.length] as string),
    granularity: fc.constantFrom(...ZONE_GRANULARITIES),
    weekStart: fc.constantFrom(...WEEKDAYS),
    fromMs: fc
      .integer({ min: Date.UTC(2000, 0, 2) / QUARTER_MS, max: Date.UTC(2037, 0, 1) / QUARTER_MS })
      .map((n) => n * QUARTER_MS),
    length: fc.double({ min: 0.01, max: 1, noNaN: true }),
  })
  await fc.assert(
    fc.asyncProperty(range, async ({ zone: name, granularity, weekStart, fromMs, length }) => {
      const toMs = fromMs + Math.max(1, Math.floor((length * LONGEST[granularity] * DAY) / QUARTER_MS)) * QUARTER_MS
      // Each quarter by its last second: some clocks changed in the middle of one, and then it counts as what it ends as.
      const { rows } = await postgres.query<{ first: string; last: string; local: string }>(
        `select (extract(epoch from min(at)) * 1000)::bigint - 899000 as first,
           (extract(epoch from max(at)) * 1000)::bigint + 1000 as last,
           to_char(min(at) at time zone $1, 'YYYY-MM-DD"T"HH24:MI:SS') as local
         from (
           select at, at at time zone $1 as local
           from generate_series($2::timestamptz, $3::timestamptz, interval '15 minutes') as at
         ) each
         group by ${GROUP[granularity]}, $4::integer
         order by first`,
        [
          name,
          new Date(fromMs + 899_000),
          new Date(toMs - 1),
          // Postgres' weeks begin on Monday.
          (WEEKDAYS.indexOf(weekStart) + 6) % 7,
        ],
      )
      const { borders, labels } = zoneBuckets(zone(name), granularity, fromMs, toMs, weekStart)
      // The first and the last bucket may go on beyond the range.
      const [firstBorder, lastBorder] = [borders[0] as number, borders.at(-1) as number]
      expect(firstBorder).toBeLessThanOrEqual(fromMs)
      expect(lastBorder).toBeGreaterThanOrEqual(toMs)
      expect([fromMs, ...borders.slice(1, -1)]).toEqual(rows.map(({ first }) => Number(first)))
      expect([...borders.slice(1, -1), toMs]).toEqual(rows.map(({ last }) => Number(last)))
      expect(labels.map((label) => Date.parse(label))).toEqual(borders)
      // The last second of the first quarter of a bucket, in local time.
      expect(labels.slice(1, -1).map((label) => Date.parse(`${label.slice(0, 19)}Z`) + 899_000)).toEqual(
        rows.slice(1).map(({ local }) => Date.parse(`${local}Z`)),
      )
    }),
    {
      numRuns: 300,
      interruptAfterTimeLimit: 60_000,
      examples: [
        [
          {
            zone: 'America/St_Johns',
            granularity: 'hour',
            weekStart: 'monday',
            fromMs: Date.UTC(2010, 10, 1),
            length: 1,
          },
        ],
        [{ zone: 'America/Havana', granularity: 'day', weekStart: 'monday', fromMs: Date.UTC(2026, 9, 1), length: 1 }],
        [
          {
            zone: 'America/Sao_Paulo',
            granularity: 'day',
            weekStart: 'monday',
            fromMs: Date.UTC(2015, 9, 1),
            length: 1,
          },
        ],
        [{ zone: 'Pacific/Apia', granularity: 'day', weekStart: 'monday', fromMs: Date.UTC(2011, 11, 1), length: 1 }],
        [{ zone: 'Asia/Gaza', granularity: 'hour', weekStart: 'monday', fromMs: Date.UTC(2011, 7, 25), length: 1 }],
        [
          {
            zone: 'Africa/Casablanca',
            granularity: 'week',
            weekStart: 'sunday',
            fromMs: Date.UTC(2025, 0, 25),
            length: 1,
          },
        ],
      ],
    },
  )
}, 120_000)

test('every offset since 2000 is a whole number of quarters of an hour', async () => {
  const { rows } = await postgres.query<{ zone: string }>(
    `select distinct zone
     from unnest($1::text[]) as zone, generate_series(timestamptz '2000-01-01', '2030-01-01', interval '61 days') as at
     where extract(epoch from at at time zone zone - at at time zone 'UTC')::integer % 900 <> 0`,
    [zones],
  )
  expect(rows).toEqual([])
})

test('rules that Node and Postgres do not share are found, with the zone and when they differ first', async () => {
  const now = new Date('2026-12-01T00:00:00Z')
  // For Node, PST is Los Angeles, with summer time. For Postgres it is an abbreviation, and VST is nothing.
  const [summer, unknown, ...others] = await compareZones(postgres, now, ['Asia/Kathmandu', 'PST', 'VST', 'UTC']).then(
    (found) => found.toSorted((a, b) => a.zone.localeCompare(b.zone)),
  )
  expect(summer).toEqual({ zone: 'PST', at: expect.any(Date) })
  expect(summer?.at?.toISOString()).toMatch(/^2026-03-/)
  expect(unknown).toEqual({ zone: 'VST', at: undefined })
  expect(others).toEqual([])
})

test('an instance says at its start that rules differ, in the log and as a metric', async () => {
  const metrics = createMetrics()
  const said: unknown[] = []
  const log = { warn: (fields: unknown) => void said.push(fields), debug: () => {} }
  const comparison = startZoneComparison({ db: postgres, metrics, log }, ['PST', 'Europe/Berlin'])
  await waitUntil('the difference to be said', () => said.length > 0, { timeoutMs: 10_000, everyMs: 5 })
  expect(said).toMatchObject([{ count: 1, zones: [{ zone: 'PST' }], nodeRules: process.versions.tz }])
  expect((await metrics.timeZonesDiffering.get()).values).toMatchObject([{ value: 1 }])
  comparison.stop()
})
