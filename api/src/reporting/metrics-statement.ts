import { asTenant } from './as-tenant.ts'
import type { Granularity, MetricsRange } from './metrics-range.ts'
import type { ReportStatement } from './read-report.ts'

/** What is counted of the calls that started in a bucket; the columns of the rollups. */
export const COUNTS = [
  'calls',
  'initiated',
  'ringing',
  'answered',
  'completed',
  'busy',
  'no_answer',
  'failed',
  'canceled',
  'inbound',
  'outbound',
  'connected',
  'ring_count',
  'talk_count',
  'ring_total_ms',
  'talk_total_ms',
] as const
export type Count = (typeof COUNTS)[number]

export const DURATIONS = ['ring', 'talk'] as const
export type Duration = (typeof DURATIONS)[number]

type Histograms = {
  readonly [K in `${Duration}_buckets` | `${Duration}_counts` | `${Duration}_entries`]: string | null
}
type Percentiles = { readonly [K in `${Duration}_p${'50' | '95' | '99'}_ms`]: string | null }

/**
 * bucket   a folded bucket of the answer; its histograms only when something is pending for it
 * pending  what is not folded yet, by bucket: counts and signed histogram entries
 * part     days, and hours at the ends, that make up the whole range: counts and histograms
 */
export type MetricsRow = { readonly kind: 'bucket' | 'pending' | 'part'; readonly at: string } & {
  readonly [K in Count]: string
} & Histograms &
  Percentiles

const TABLES: Readonly<Record<Granularity, { table: string; column: string }>> = {
  hour: { table: 'hopwhistle.call_metrics_hourly', column: 'hour' },
  day: { table: 'hopwhistle.call_metrics_daily', column: 'day' },
}
const DAY_MS = 24 * 3_600_000

const COUNT_COLUMNS = COUNTS.join(', ')
const SUMS = COUNTS.map((count) => `sum(${count})::bigint as ${count}`).join(', ')
const PERCENTILE_COLUMNS = DURATIONS.flatMap((d) => [50, 95, 99].map((p) => `${d}_p${p}_ms`))
const ROUNDED = PERCENTILE_COLUMNS.map((column) => `round(${column}) as ${column}`).join(', ')
const NO_PERCENTILES = PERCENTILE_COLUMNS.map(() => 'null::float8').join(', ')
const HISTOGRAM_COLUMNS = DURATIONS.flatMap((d) => [`${d}_buckets`, `${d}_counts`])
const NO_HISTOGRAMS = 'null::smallint[], null::bigint[], null::smallint[], null::bigint[]'
const NO_ENTRIES = 'null::smallint[] as ring_entries, null::smallint[] as talk_entries'
const HISTOGRAMS_IF_PENDING = HISTOGRAM_COLUMNS.map(
  (column) => `case when c.at is not null then ${column} end as ${column}`,
).join(', ')

/**
 * Everything that the metrics of a range are made of, folded and pending, in one snapshot: so that a change which
 * is being folded right now is there once, neither twice nor not at all.
 *
 * Plan: a range of the primary key of the rollup, of call_metrics_daily, and of call_metrics_pending_hour. 30 days by
 * the hour read 720 rows without their histograms, and some 75 with them; nothing depends on how many calls there are.
 */
function text({ table, column }: { table: string; column: string }, granularity: Granularity): string {
  return asTenant(
    'report.*',
    `
  with pending as materialized (
    select date_trunc('${granularity}', hour, 'UTC') as at, ${COUNT_COLUMNS}, ring_entries, talk_entries
    from hopwhistle.call_metrics_pending
    where tenant_id = $2 and hour >= $3 and hour < $4 and tenant.ids is not null
  ),
  changed as materialized (
    select at, ${SUMS},
      (select array_agg(e) from pending p, unnest(p.ring_entries) as e where p.at = pending.at) as ring_entries,
      (select array_agg(e) from pending p, unnest(p.talk_entries) as e where p.at = pending.at) as talk_entries
    from pending
    group by at
  )
  select 'bucket' as kind, extract(epoch from ${column})::bigint as at, ${COUNT_COLUMNS}, ${ROUNDED},
    ${HISTOGRAMS_IF_PENDING}, ${NO_ENTRIES}
  from ${table} f
  left join (select at from changed) c on c.at = f.${column}
  where tenant_id = $2 and ${column} >= $3 and ${column} < $4
  union all
  select 'pending', extract(epoch from at)::bigint, ${COUNT_COLUMNS}, ${NO_PERCENTILES}, ${NO_HISTOGRAMS}, ring_entries, talk_entries
  from changed
  union all
  select 'part', extract(epoch from day)::bigint, ${COUNT_COLUMNS}, ${NO_PERCENTILES}, ${HISTOGRAM_COLUMNS.join(', ')}, ${NO_ENTRIES}
  from hopwhistle.call_metrics_daily
  where tenant_id = $2 and day >= $5 and day < $6
  union all
  select 'part', extract(epoch from hour)::bigint, ${COUNT_COLUMNS}, ${NO_PERCENTILES}, ${HISTOGRAM_COLUMNS.join(', ')}, ${NO_ENTRIES}
  from hopwhistle.call_metrics_hourly
  where tenant_id = $2 and (hour >= $3 and hour < $5 or hour >= $6 and hour < $4)
`,
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
