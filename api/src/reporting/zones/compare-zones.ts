/**
 * Compares the time zone rules of this Node, by which reports go, with those of Postgres, which others may use on the same
 * data. Both come with time zone data of their own, which governments change several times a year.
 */
import { setImmediate as endOfTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { QUARTER_MS, QUARTERS_PER_DAY } from './quarter.ts'
import { readSegments } from './time-zone.ts'

/** A zone of which Postgres has other rules, and when they differ first; or that Postgres does not know. */
export type ZoneDifference = { readonly zone: string; readonly at: Date | undefined }

/** What reports are asked for: the last year and the next. */
const DAYS = 366
/** Zones whose rules are read in one turn of the event loop: two to four milliseconds. */
const AT_ONCE = 8
const UNKNOWN_ZONE = '22023'
/** More than that, and something else is wrong than the age of the data. */
const UNKNOWN_MAX = 50
const AGAIN_MS = 30_000

/**
 * Compares them once, as soon as Postgres answers, and says what it finds in the log and as a metric. Nothing waits for it.
 */
export function startZoneComparison(
  deps: {
    readonly db: Pick<Pool, 'query'>
    readonly metrics: Pick<Metrics, 'timeZonesDiffering'>
    readonly log: Pick<Log, 'debug' | 'warn'>
  },
  zones: readonly string[] = Intl.supportedValuesOf('timeZone'),
): { stop(): void } {
  const stopping = new AbortController()
  const { signal } = stopping
  const run = async () => {
    while (!signal.aborted) {
      try {
        report(await compareZones(deps.db, new Date(), zones))
        return
      } catch (error) {
        deps.log.debug({ err: error }, 'time zone rules are not compared yet')
        await sleep(AGAIN_MS, undefined, { ref: false, signal }).catch(() => {})
      }
    }
  }
  const report = (differing: readonly ZoneDifference[]) => {
    if (signal.aborted) return
    deps.metrics.timeZonesDiffering.set(differing.length)
    if (differing.length === 0) return
    deps.log.warn(
      { zones: differing.slice(0, 20), count: differing.length, nodeRules: process.versions.tz },
      'Node and Postgres have other rules for these time zones; reports go by those of Node: update the older of the two',
    )
  }
  void run()
  return { stop: () => stopping.abort() }
}

/** @param days before and after `now` @throws what `pg` throws */
export async function compareZones(
  db: Pick<Pool, 'query'>,
  now: Date,
  zones: readonly string[],
  days = DAYS,
): Promise<readonly ZoneDifference[]> {
  const today = Math.floor(now.getTime() / QUARTER_MS)
  const [from, to] = [today - days * QUARTERS_PER_DAY, today + days * QUARTERS_PER_DAY]
  const rules: { readonly zone: string; readonly from: number; readonly to: number; readonly offset: number }[] = []
  for (const [i, zone] of zones.entries()) {
    rules.push(...readSegments(zone, from, to).map((segment) => ({ zone, ...segment })))
    if (i % AT_ONCE === AT_ONCE - 1) await endOfTurn()
  }
  const unknown: ZoneDifference[] = []
  for (;;) {
    const left = rules.filter(({ zone }) => unknown.every((one) => one.zone !== zone))
    try {
      const { rows } = await db.query<{ readonly zone: string; readonly at: Date }>(DIFFERENCES, [
        left.map(({ zone }) => zone),
        ...(['from', 'to', 'offset'] as const).map((of) => left.map((rule) => rule[of])),
      ])
      return [...unknown, ...rows]
    } catch (error) {
      // Postgres names one that it does not know, and reads no further.
      const zone = zoneIn(error)
      if (zone === undefined || unknown.length === UNKNOWN_MAX) throw error
      unknown.push({ zone, at: undefined })
    }
  }
}

function zoneIn(error: unknown): string | undefined {
  const { code, message } = error as { readonly code?: string; readonly message?: string }
  return code === UNKNOWN_ZONE ? /time zone "([^"]+)" not recognized/.exec(message ?? '')?.[1] : undefined
}

/** At the ends of each time in which a zone keeps one offset, and every week in between. Times are at the end of a quarter. */
const DIFFERENCES = `
select zone, min(moment) as at
from unnest($1::text[], $2::bigint[], $3::bigint[], $4::integer[]) as rule (zone, since, until, quarters_east),
  lateral (
    select to_timestamp(900 * quarter + 899)
    from generate_series(since, until - 1, 7 * 96) as quarter
    union
    select to_timestamp(900 * until - 1)
  ) as look (moment)
where moment at time zone zone - moment at time zone 'UTC' <> quarters_east * interval '15 minutes'
group by zone
order by zone`
