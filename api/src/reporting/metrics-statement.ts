import { asTenant } from './as-tenant.ts'
import type { BucketTexts, Count, Duration, Estimate } from './metrics-json.ts'
import { bucketJson, COUNTS, DURATIONS } from './metrics-json.ts'
import type { Granularity, MetricsRange } from './metrics-range.ts'
import type { ReportStatement } from './read-report.ts'

/**
 * bucket   a folded bucket that nothing is pending for; `body` is its JSON, ready to be sent
 * changed  a folded bucket that something is pending for: `body` is its COUNTS, with commas between; and its histograms
 * pending  what is not folded yet, by bucket: COUNTS and signed histogram entries
 * part     days, and hours at the ends, that make up the whole range: COUNTS and histograms
 */
export type MetricsRow = {
  readonly kind: 'bucket' | 'changed' | 'pending' | 'part'
  /** Unix seconds. */
  readonly at: string
  readonly body: string
} & { readonly [K in `${Duration}_${'buckets' | 'counts' | 'entries'}`]: string | null }

const TABLES: Readonly<Record<Granularity, { table: string; column: string }>> = {
  hour: { table: 'hopwhistle.call_metrics_hourly', column: 'hour' },
  day: { table: 'hopwhistle.call_metrics_daily', column: 'day' },
}
const DAY_MS = 24 * 3_600_000

const SUMS = COUNTS.map((count) => `sum(${count})::bigint as ${count}`).join(', ')
const BODY = `concat_ws(',', ${COUNTS.join(', ')})`
const HISTOGRAMS = DURATIONS.flatMap((d) => [`${d}_buckets`, `${d}_counts`]).join(', ')
const NO_HISTOGRAMS = 'null::smallint[], null::bigint[], null::smallint[], null::bigint[]'
const NO_ENTRIES = 'null::smallint[], null::smallint[]'

/**
 * Everything that the metrics of a range are made of, folded and pending, in one snapshot: so that a change which
 * is being folded right now is there once, neither twice nor not at all.
 *
 * Plan: a range of the primary key of the rollup, of call_metrics_daily, and of call_metrics_pending_hour. 30 days by
 * the hour read 720 rows without their histograms, and some 75 with them; nothing depends on how many calls there are.
 */
function text({ table, column }: { table: string; column: string }, granularity: Granularity): string {
  return asTenant(
    `kind, extract(epoch from at)::bigint as at, body,
  ring_buckets, ring_counts, talk_buckets, talk_counts, ring_entries, talk_entries`,
    `
  with pending as materialized (
    select date_trunc('${granularity}', hour, 'UTC') as at, ${COUNTS.join(', ')}, ring_entries, talk_entries
    from hopwhistle.call_metrics_pending
    where tenant_id = $2 and hour >= $3 and hour < $4 and tenant.ids is not null
  ),
  pending_buckets as materialized (
    select at, ${SUMS},
      (select array_agg(e) from pending p, unnest(p.ring_entries) as e where p.at = pending.at) as ring_entries,
      (select array_agg(e) from pending p, unnest(p.talk_entries) as e where p.at = pending.at) as talk_entries
    from pending
    group by at
  )
  select 'bucket' as kind, ${column} as at, ${jsonExpression()} as body, ${NO_HISTOGRAMS}, ${NO_ENTRIES}
  from ${table}
  where tenant_id = $2 and ${column} >= $3 and ${column} < $4 and ${column} not in (select at from pending_buckets)
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
`,
    'kind, at, body, ring_buckets, ring_counts, talk_buckets, talk_counts, ring_entries, talk_entries',
  )
}

/** `bucketJson` as an expression of SQL: hundreds of buckets cost Node nothing but passing them on. */
function jsonExpression(): string {
  const values: string[] = []
  const given = (expression: string) => {
    values.push(expression)
    return '%s'
  }
  const texts = new Proxy({} as BucketTexts, {
    get: (_, name: Count | Estimate) =>
      given(name.includes('_p') || name.endsWith('average_ms') ? estimate(name) : name),
  })
  const format = bucketJson(texts)
  return `format('${format}', ${values.join(', ')})`
}

function estimate(name: string): string {
  const [duration] = name.split('_')
  const value = name.endsWith('average_ms') ? `${duration}_total_ms::float8 / nullif(${duration}_count, 0)` : name
  return `coalesce((${value})::bigint::text, 'null')`
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
