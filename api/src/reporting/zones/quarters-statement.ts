import { asTenant } from '../as-tenant.ts'
import { COUNTS } from '../metrics-json.ts'
import { BODY, HISTOGRAMS, SUMS, UNDER_WAY } from '../metrics-statement.ts'
import type { SummedRow } from '../metrics-sums.ts'
import type { ReportStatement } from '../read-report.ts'
import type { QuartersPlan } from './quarters-plan.ts'
import type { ZonedRange } from './zoned-range.ts'

/**
 * day       a day of UTC: COUNTS with commas between, and histograms as bytea
 * quarters  the folded quarters of a part, a line each: Unix seconds, COUNTS, and two histograms, with tabs between
 * hour      an hour in a part whose quarters are not known: as a day
 * pending   what is not folded yet, by quarter: COUNTS and signed histogram entries
 * stale     `at` is when calls that have not ended must have begun to be stale; `body`, how many began earlier in its bucket
 */
export type QuartersRow = {
  readonly kind: 'day' | 'quarters' | 'hour' | 'pending' | 'stale'
  /** From 1 on; null of days and of what is pending. */
  readonly part: string | null
  /** Unix seconds; null of quarters. */
  readonly at: string | null
} & SummedRow

const COLUMNS = 'kind, part, at, body, ring_histogram, talk_histogram, ring_entries, talk_entries'
const SECONDS = (time: string) => `date_part('epoch', ${time})::bigint`

/**
 * Everything that the buckets are put together from, folded and pending, in one snapshot: see metrics-statement.ts.
 *
 * Plan: ranges of the primary keys, one for the days and one for each part. 30 days by the hour are 2,880 quarters, which
 * come as one row of texts without a copy of their numbers; as many for ten thousand calls as for ten million.
 */
const TEXT = asTenant(
  COLUMNS,
  `
  with known as materialized (
    select coalesce(max(s.since), '-infinity') as since
    from hopwhistle.quarters_since s
    where s.tenant_id = $2 and tenant.ids is not null
  ),
  pending as materialized (
    select hour as at, ${COUNTS.join(', ')}, ring_entries, talk_entries
    from hopwhistle.call_metrics_pending
    where tenant_id = $2 and hour >= $3 and hour < $4 and tenant.ids is not null
  ),
  -- Once, not for each border: it is a statement of its own.
  stale as materialized (
    select hopwhistle.stale_before($2) as before where tenant.ids is not null
  ),
  stale_in_bucket as materialized (
    select before, (select max(border) from unnest($9::timestamptz[]) as border where border <= before) as since
    from stale
    where before is not null
  ),
  part as materialized (
    select n, since, until from unnest($7::timestamptz[], $8::timestamptz[]) with ordinality as p (since, until, n)
    where since < until
  )
  select 'day' as kind, null::bigint as part, ${SECONDS('day')} as at, ${BODY} as body, ${HISTOGRAMS},
    null::smallint[], null::smallint[]
  from hopwhistle.call_metrics_daily
  where tenant_id = $2 and day >= $5 and day < $6
  union all
  select 'quarters', part.n, null, quarters.body, null, null, null, null
  from part
  cross join known
  cross join lateral (
    select string_agg(${SECONDS('quarter')}::text || E'\\t' || counts || E'\\t' || coalesce(ring_histogram, '')
      || E'\\t' || coalesce(talk_histogram, ''), E'\\n') as body
    from (
      select quarter, counts, ring_histogram, talk_histogram
      from hopwhistle.call_metrics_quarterly
      where tenant_id = $2 and quarter >= greatest(part.since, known.since) and quarter < part.until
      order by quarter
    ) in_order
  ) quarters
  where quarters.body is not null
  union all
  select 'hour', part.n, ${SECONDS('hour')}, hours.body, hours.ring_histogram, hours.talk_histogram, null, null
  from part
  cross join known
  cross join lateral (
    select hour, ${BODY} as body, ${HISTOGRAMS}
    from hopwhistle.call_metrics_hourly
    where tenant_id = $2 and hour >= part.since and hour < least(part.until, known.since)
  ) hours
  union all
  select 'pending', null, ${SECONDS('at')}, ${BODY}, null, null,
    (select array_agg(e) from pending p, unnest(p.ring_entries) as e where p.at = pending_quarters.at),
    (select array_agg(e) from pending p, unnest(p.talk_entries) as e where p.at = pending_quarters.at)
  from (select at, ${SUMS} from pending group by at) pending_quarters
  union all
  select 'stale', null, ${SECONDS('b.before')}, coalesce(sum(h.under_way), 0)::text, null, null, null, null
  from stale_in_bucket b
  cross join known
  left join lateral (
    select ${UNDER_WAY} as under_way
    from hopwhistle.call_metrics_quarterly
    where tenant_id = $2 and quarter >= greatest(b.since, known.since) and quarter < b.before
    union all
    select ${UNDER_WAY}
    from hopwhistle.call_metrics_hourly
    where tenant_id = $2 and hour >= b.since and hour < least(b.before, known.since)
    union all
    select ${UNDER_WAY} from pending where at >= b.since and at < b.before
  ) h on b.since is not null
  group by b.before
`,
  COLUMNS,
)

export function quartersStatement(tenantId: string, range: ZonedRange, { days, parts }: QuartersPlan): ReportStatement {
  const iso = (ms: number) => new Date(ms).toISOString()
  return {
    name: 'metrics by quarters',
    text: TEXT,
    values: [
      `{${tenantId}}`,
      tenantId,
      ...[range.fromMs, range.toMs, days.fromMs, days.toMs].map(iso),
      parts.map(({ fromMs }) => iso(fromMs)),
      parts.map(({ toMs }) => iso(toMs)),
      range.borders.map(iso),
    ],
  }
}
