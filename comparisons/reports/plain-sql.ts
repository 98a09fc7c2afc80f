/** Metrics without rollups: each report aggregates the calls. */
import { CALL_STATE_CODE, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import type { Client } from 'pg'

export type PlainDuration = {
  readonly count: number
  readonly averageMs: number | null
  /** p50, p95, p99: exact. */
  readonly percentilesMs: readonly (number | null)[]
}

/** Metrics of the calls that started in an hour, or of all when `start` is null. */
export type PlainMetrics = {
  /** Unix milliseconds. */
  readonly start: number | null
  readonly calls: number
  readonly connected: number
  readonly inbound: number
  readonly outbound: number
  readonly states: Readonly<Record<string, number>>
  readonly ring: PlainDuration
  readonly talk: PlainDuration
}

const states = CALL_STATES.map((state) => `'${state}', count(*) filter (where state = ${CALL_STATE_CODE[state]})`)
const duration = (
  column: string,
) => `count(${column})::int as ${column}_count, avg(${column})::float8 as ${column}_average,
  percentile_disc(array[0.5, 0.95, 0.99]) within group (order by ${column}) as ${column}_percentiles`
const elapsed = (since: string, until: string) =>
  `case when ${until} < ${since} then 0 else round(extract(epoch from ${until} - ${since}) * 1000) end::int`

/** One pass over the calls of the range, by the index on their start time, for every hour and for the whole range. */
const TEXT = `
with timed as (
  select date_trunc('hour', started_at, 'UTC') as hour, state, direction, answered_at,
    ${elapsed('least(initiated_at, ringing_at)', 'answered_at')} as ring,
    ${elapsed('answered_at', 'ended_at')} as talk
  from hopwhistle.calls
  where tenant_id = $1 and started_at >= $2 and started_at < $3
)
select (extract(epoch from hour) * 1000)::float8 as start,
  count(*)::int as calls,
  count(answered_at)::int as connected,
  count(*) filter (where direction = 0)::int as inbound,
  count(*) filter (where direction = 1)::int as outbound,
  json_build_object(${states.join(', ')}) as states,
  ${duration('ring')},
  ${duration('talk')}
from timed
group by grouping sets ((hour), ())
order by hour nulls first`

type Row = Omit<PlainMetrics, 'ring' | 'talk'> & {
  readonly ring_count: number
  readonly ring_average: number | null
  readonly ring_percentiles: readonly number[] | null
  readonly talk_count: number
  readonly talk_average: number | null
  readonly talk_percentiles: readonly number[] | null
}

/** Enough memory to sort, and no JIT compilation, which the platform has turned off as well. */
export async function preparePlainSql(client: Client): Promise<void> {
  await client.query(`set work_mem = '512MB'`)
}

/** @returns the whole range, then the hours with calls; and how long the statement took */
export async function readPlainMetrics(
  client: Client,
  tenantId: string,
  fromMs: number,
  toMs: number,
): Promise<{ readonly ms: number; readonly metrics: readonly PlainMetrics[] }> {
  const startedAt = performance.now()
  const { rows } = await client.query<Row>(TEXT, [tenantId, new Date(fromMs), new Date(toMs)])
  const ms = performance.now() - startedAt
  const none = [null, null, null]
  const metrics = rows.map(
    ({ ring_count, ring_average, ring_percentiles, talk_count, talk_average, talk_percentiles, ...counts }) => ({
      ...counts,
      ring: { count: ring_count, averageMs: ring_average, percentilesMs: ring_percentiles ?? none },
      talk: { count: talk_count, averageMs: talk_average, percentilesMs: talk_percentiles ?? none },
    }),
  )
  return { ms, metrics }
}
