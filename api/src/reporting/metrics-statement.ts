import { asTenant } from './as-tenant.ts'
import { COUNTS, DURATIONS } from './metrics-json.ts'
import type { Granularity, MetricsRange } from './metrics-range.ts'
import type { SummedRow } from './metrics-sums.ts'
import type { ReportStatement } from './read-report.ts'

/**
 * ready    every folded bucket that nothing is pending for: `body` is a line each, Unix seconds and then its JSON
 * changed  a folded bucket that something is pending for: `body` is its COUNTS, with commas between; and its histograms
 * pending  what is not folded yet, by bucket: COUNTS and signed histogram entries
 * part     days, and hours at the ends, that make up the whole range: COUNTS and histograms
 * stale    `at` is when calls that have not ended must have begun to be stale; `body`, how many began earlier on its day
 */
export type MetricsRow = {
  readonly kind: 'ready' | 'changed' | 'pending' | 'part' | 'stale'
  /** Unix seconds; null for what is ready. */
  readonly at: string | null
} & SummedRow

const TABLES: Readonly<Record<Granularity, { table: string; column: string }>> = {
  hour: { table: 'hopwhistle.call_metrics_hourly', column: 'hour' },
  day: { table: 'hopwhistle.call_metrics_daily', column: 'day' },
}
const DAY_MS = 24 * 3_600_000

// Of a rollup, or of what is pending.
export const SUMS = COUNTS.map((count) => `sum(${count})::bigint as ${count}`).join(', ')
export const BODY = `concat_ws(',', ${COUNTS.join(', ')})`
export const HISTOGRAMS = DURATIONS.map((d) => `${d}_histogram`).join(', ')
export const UNDER_WAY = 'initiated + ringing + answered'
const NO_HISTOGRAMS = 'null::bytea, null::bytea'
const NO_ENTRIES = 'null::smallint[], null::smallint[]'

/**
 * Everything that the metrics of a range are made of, folded and pending, in one snapshot: so that a change which
 * is being folded right now is there once, neither twice nor not at all.
 *
 * Plan: a range of the primary key of the rollup, of call_metrics_daily, and of call_metrics_pending_hour. 30 days by
 * the hour read 720 rows without their histograms, and some 75 with them; nothing depends on how many calls there are.
 * What is ready comes as one row, for hundreds cost Postgres and Node more than what is in them.
 */
function text({ table, column }: { table: string; column: string }, granularity: Granularity): string {
  return asTenant(
    `kind, extract(epoch from at)::bigint as at, body,
  ring_histogram, talk_histogram, ring_entries, talk_entries`,
    `
  with pending as materialized (
    select hour, date_trunc('${granularity}', hour, 'UTC') as at, ${COUNTS.join(', ')}, ring_entries, talk_entries
    from hopwhistle.call_metrics_pending
    where tenant_id = $2 and hour >= $3 and hour < $4 and tenant.ids is not null
  ),
  -- Once: it is a statement of its own.
  stale as materialized (
    select hopwhistle.stale_before($2) as before where tenant.ids is not null
  ),
  -- Only columns are compared below: under row-level security, Postgres 15 compares the result of a function after it has read.
  stale_day as materialized (
    select before, date_trunc('day', before, 'UTC') as since from stale where before is not null
  ),
  pending_buckets as materialized (
    select at, ${SUMS},
      (select array_agg(e) from pending p, unnest(p.ring_entries) as e where p.at = pending.at) as ring_entries,
      (select array_agg(e) from pending p, unnest(p.talk_entries) as e where p.at = pending.at) as talk_entries
    from pending
    group by at
  )
  select 'ready' as kind, null::timestamptz as at,
    string_agg(date_part('epoch', ${column})::bigint::text || ' ' || body, E'\\n') as body, ${NO_HISTOGRAMS}, ${NO_ENTRIES}
  from ${table}
  where tenant_id = $2 and ${column} >= $3 and ${column} < $4 and ${column} not in (select at from pending_buckets)
  having count(*) > 0
  union all
  select 'changed', ${column}, ${BODY}, ${HISTOGRAMS}, ${NO_ENTRIES}
  from ${table}
  where tenant_id = $2 and ${column} >= $3 and ${column} < $4 and ${column} in (select at from pending_buckets)
  union all
  select 'pending', at, ${BODY}, ${NO_HISTOGRAMS}, ring_entries, talk_entries
  from pending_buckets
  union all
  select 'part', day, ${BODY}, ${HISTOGRAMS}, ${NO_ENTRIES}
  from hopwhistle.call_metrics_daily
  where tenant_id = $2 and day >= $5 and day < $6
  union all
  select 'part', hour, ${BODY}, ${HISTOGRAMS}, ${NO_ENTRIES}
  from hopwhistle.call_metrics_hourly
  where tenant_id = $2 and (hour >= $3 and hour < $5 or hour >= $6 and hour < $4)
  union all
  select 'stale', b.before, coalesce(sum(h.under_way), 0)::text, ${NO_HISTOGRAMS}, ${NO_ENTRIES}
  from stale_day b
  left join lateral (
    select ${UNDER_WAY} as under_way
    from hopwhistle.call_metrics_hourly
    where tenant_id = $2 and hour >= b.since and hour < b.before
    union all
    select ${UNDER_WAY}
    from pending
    where hour >= b.since and hour < b.before
  ) h on true
  group by b.before
`,
    'kind, at, body, ring_histogram, talk_histogram, ring_entries, talk_entries',
  )
}

const TEXTS = { hour: text(TABLES.hour, 'hour'), day: text(TABLES.day, 'day') }

export function metricsStatement(tenantId: string, range: MetricsRange): ReportStatement {
  const { granularity, fromMs, toMs } = range
  const firstDayMs = Math.ceil(fromMs / DAY_MS) * DAY_MS
  const lastDayMs = Math.floor(toMs / DAY_MS) * DAY_MS
  // No whole day in between: then the hours make up all of it.
  const [daysFromMs, daysToMs] = firstDayMs < lastDayMs ? [firstDayMs, lastDayMs] : [toMs, toMs]
  return {
    name: `metrics ${granularity}`,
    text: TEXTS[granularity],
    values: [
      `{${tenantId}}`,
      tenantId,
      ...[fromMs, toMs, daysFromMs, daysToMs].map((ms) => new Date(ms).toISOString()),
    ],
  }
}
