import { CALL_DIRECTIONS, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import { asTenant } from '../as-tenant.ts'
import { STALE_BEFORE } from '../calls-conditions.ts'
import { COUNTS, DURATIONS } from '../metrics-json.ts'
import type { ReportStatement } from '../read-report.ts'
import { type Breakdown, bucketStarts, type GroupBy, labelOf } from './breakdown.ts'
import { callsInRange } from './calls-in-range.ts'

/**
 * over     more calls would have to be read than may be; nothing else is there
 * kinds    `body`: how many groups there are in all
 * callers  `body`: how many callers there are in all
 * group    at `place` by size, from 1, or the rest; with `key` and histograms. `body`: COUNTS, CALLERS, ESTIMATES, callers
 * bucket   of all groups, at `bucket`. `body`: COUNTS, CALLERS, ESTIMATES
 * cell     of a group, at `bucket`. `body`: COUNTS, CALLERS
 */
export type BreakdownRow = {
  readonly kind: 'over' | 'kinds' | 'callers' | 'group' | 'bucket' | 'cell'
  readonly place: string | null
  /** Place of the bucket in the range, from 1. */
  readonly bucket: string | null
  /** Empty for calls that have nothing to be grouped by; null for the rest. */
  readonly key: string | null
  readonly body: string
  readonly ring_histogram: string | null
  readonly talk_histogram: string | null
}

/** Calls of callers in all, those that are the first of their caller, and those that are stale. */
export const CALLERS = ['of_callers', 'first_time', 'stale'] as const
export const ESTIMATES = DURATIONS.flatMap((d) => [`${d}_p50_ms`, `${d}_p95_ms`, `${d}_p99_ms`] as const)

const COUNTED: Readonly<Record<string, string>> = {
  calls: 'count(*)',
  ...Object.fromEntries(
    CALL_STATES.map((state, code) => [state.toLowerCase(), `count(*) filter (where state = ${code})`]),
  ),
  ...Object.fromEntries(CALL_DIRECTIONS.map((name, code) => [name, `count(*) filter (where direction = ${code})`])),
  connected: 'count(*) filter (where connected)',
  ring_count: 'count(ring_ms)',
  talk_count: 'count(talk_ms)',
  ring_total_ms: 'coalesce(sum(ring_ms), 0)',
  talk_total_ms: 'coalesce(sum(talk_ms), 0)',
}
const SUMS = COUNTS.map((count) => COUNTED[count]).join(', ')
const ENTRIES = DURATIONS.map(
  (d) => `array_agg(hopwhistle.duration_bucket(${d}_ms)) filter (where ${d}_ms is not null) as ${d}_entries`,
).join(', ')
const HISTOGRAMS = DURATIONS.map(
  (d) => `cross join lateral hopwhistle.fold_histogram(null, null, a.${d}_entries) as ${d}`,
).join('\n    ')
const PERCENTILES = DURATIONS.flatMap((d) =>
  [50, 95, 99].map((p) => `coalesce(${d}.p${p}::bigint::text, 'null')`),
).join(', ')

/**
 * Metrics of calls, read from the calls: those that match are kept in a temporary file and added up three times.
 *
 * Plan: a range of one index of calls for each branch, up to $6 rows and one more. Nothing else grows with the history, but for
 * first-time callers: for each caller in the range it looks for one earlier call in calls_from.
 */
export function breakdownStatement(tenantId: string, breakdown: Breakdown, callsMax: number): ReportStatement {
  const { range, filter, groupBy, limit, callers } = breakdown
  const starts = bucketStarts(range)
  const iso = (ms: number) => new Date(ms).toISOString()
  const values: unknown[] = [
    `{${tenantId}}`,
    tenantId,
    iso(range.fromMs),
    iso(range.toMs),
    `{${starts.map(iso).join(',')}}`,
    callsMax,
    limit,
  ]
  const given = (value: unknown) => `$${values.push(value)}`
  const { source, conditions } = callsInRange(COLUMNS, filter, given)
  const text = asTenant(
    'kind, place, bucket, key, body, ring_histogram, talk_histogram',
    `
  with scanned as materialized (
    select n, ${keyOf(groupBy, given)} collate "C" as key,
      width_bucket(started_at, $5::timestamptz[]) as bucket, state, direction, answered_at is not null as connected,
      hopwhistle.elapsed_ms(least(initiated_at, ringing_at), answered_at) as ring_ms,
      hopwhistle.elapsed_ms(answered_at, ended_at) as talk_ms,
      final_state is null and started_at < ${STALE_BEFORE} as is_stale${callers ? CALLER_COLUMNS : ''}
    from (select c.*, row_number() over () as n from (select * from (
${source}
      ) as found limit $6::bigint + 1) as c) as numbered
    where n > $6::bigint or (${['true', ...conditions].join(' and ')})
  ),
  checked as materialized (
    select count(*) filter (where n > $6::bigint) > 0 as over from scanned
  ),
  kinds as materialized (
    select key, count(*) as calls
    from scanned
    where not (select over from checked)
    group by key
  ),
  -- Only so many are sorted: there may be as many kinds as calls.
  largest as materialized (
    select key, row_number() over (order by calls desc, key) as place
    from (select key, calls from kinds order by calls desc, key limit $7::bigint) as k
  ),${callers ? FIRST_TIME : ''}
  placed as not materialized (
    select s.*, coalesce(k.place, $7::bigint + 1) as place, ${callers ? 'f.call_id is not null' : 'false'} as is_first
    from scanned s
    left join largest k on k.key = s.key
    ${callers ? 'left join first_time f on f.call_id = s.call_id' : ''}
    where not (select over from checked)
  )
  select 'over' as kind, null::bigint as place, null::int as bucket, null::text as key, '' as body,
    null::bytea as ring_histogram, null::bytea as talk_histogram
  from checked where over
  union all
  select 'kinds', null, null, null, count(*)::text, null, null from kinds
  union all
  ${callers ? `select 'callers', null, null, null, count(*)::text, null, null from firsts\n  union all` : ''}
  select 'group', a.place, null, k.key, concat_ws(',', a.body, ${PERCENTILES}, a.callers), ring.histogram, talk.histogram
  from (
    select place, concat_ws(',', ${SUMS}, ${callerSums(callers)}) as body,
      ${callers ? 'count(distinct caller)' : '0'} as callers, ${ENTRIES}
    from placed group by place
  ) as a
    ${HISTOGRAMS}
    left join largest k on k.place = a.place
  union all
  select 'bucket', null, a.bucket, null, concat_ws(',', a.body, ${PERCENTILES}), null, null
  from (
    select bucket, concat_ws(',', ${SUMS}, ${callerSums(callers)}) as body, ${ENTRIES}
    from placed group by bucket
  ) as a
    ${HISTOGRAMS}
  ${groupBy === undefined ? '' : CELLS(callers)}
`,
    'kind, place, bucket, key, body, ring_histogram, talk_histogram',
  )
  return { text, values }
}

const COLUMNS = `call_id, started_at, initiated_at, ringing_at, answered_at, ended_at, state, final_state, direction,
      from_number, to_number, talk_ms, labels`

/** A text that is empty where there is nothing to group by: no number and no value of a label is. */
function keyOf(groupBy: GroupBy | undefined, given: (value: unknown) => string): string {
  const label = labelOf(groupBy)
  if (label !== undefined) return `coalesce(labels ->> ${given(label)}::text, '')`
  if (groupBy === undefined) return `''`
  return `coalesce(${KEYS[groupBy as keyof typeof KEYS]}, '')`
}
const KEYS = { direction: 'direction::text', state: 'state::text', from: 'from_number', to: 'to_number' } as const

const callerSums = (callers: boolean) =>
  `${callers ? 'count(caller), count(*) filter (where is_first)' : '0, 0'}, count(*) filter (where is_stale)`

const CELLS = (callers: boolean) => `union all
  select 'cell', place, bucket, null, concat_ws(',', ${SUMS}, ${callerSums(callers)}), null, null
  from placed group by place, bucket`

/** Who calls, unless the tenant does. */
const CALLER_COLUMNS = `,
      call_id, started_at, case when direction is distinct from 1 then from_number end as caller`

/**
 * The first call of each caller in the range is the first of all, if there is none before it; no other can be. Times are unique
 * to the millisecond, so the least of time and id as one text is the first call.
 */
const FIRST_TIME = `
  firsts as materialized (
    select caller,
      min((lpad((extract(epoch from started_at) * 1000)::bigint::text, 13, '0') || call_id) collate "C") as call
    from scanned
    where caller is not null and not (select over from checked)
    group by caller
  ),
  first_time as materialized (
    select substr(f.call, 14) as call_id
    from firsts f
    where (
      select true from hopwhistle.calls e
      where e.tenant_id = $2 and e.from_number = f.caller and e.direction is distinct from 1
        and (e.started_at, e.call_id) < (to_timestamp(left(f.call, 13)::bigint / 1000.0::float8), substr(f.call, 14))
      limit 1) is null
  ),`
