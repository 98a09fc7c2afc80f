import { asTenant } from './as-tenant.ts'
import {
  callsConditions,
  type Given,
  indexConditions,
  isoTime,
  rowConditions,
  startConditions,
} from './calls-conditions.ts'
import type { CallsFilter } from './calls-filter.ts'
import { type CallsOrder, orderedBy } from './calls-order.ts'
import type { ReportStatement } from './read-report.ts'

export const COUNT_MODES = ['exact', 'estimate', 'none'] as const
export type CountMode = (typeof COUNT_MODES)[number]

/**
 * exact     that many
 * at-least  counting ended at COUNT_AT_MOST rows that an index found; so many of them matched
 * estimate  as many of all calls in the range, of which the rollups know the number, as of the newest
 */
export type CallsCount = { readonly value: number; readonly is: 'exact' | 'at-least' | 'estimate' }

export const COUNT_AT_MOST = 100_000
/** Below that an estimate is a count. */
const ESTIMATE_FROM = 2_000
const SAMPLE = 5_000

/** Reads a statement on whichever server answers reports. */
export type ReadRows = <Row extends object>(statement: ReportStatement) => Promise<readonly Row[]>

/** How many calls are in a list, on all of its pages. Its cost is bounded, whatever the filter. */
export async function countCalls(
  read: ReadRows,
  tenantId: string,
  { filter, order }: { readonly filter: CallsFilter; readonly order: CallsOrder },
  mode: Exclude<CountMode, 'none'>,
): Promise<CallsCount> {
  const counted = await countUpTo(read, tenantId, filter, order, mode === 'exact' ? COUNT_AT_MOST : ESTIMATE_FROM)
  if (mode === 'exact' || counted.is === 'exact') return counted
  const [range] = await read<{ calls: string }>(startedStatement(tenantId, filter))
  const [sample] = await read<Looked>(sampleStatement(tenantId, filter, order))
  const share = Number(sample?.counted ?? 0) / Math.max(1, Number(sample?.looked_at ?? 0))
  return { value: Math.max(counted.value, Math.round(Number(range?.calls ?? 0) * share)), is: 'estimate' }
}

/** Plan: the index that the filter begins with, `most` entries of it, in whatever order they are. */
export function countStatement(
  tenantId: string,
  filter: CallsFilter,
  order: CallsOrder,
  most: number,
): ReportStatement {
  const values: unknown[] = [`{${tenantId}}`, tenantId]
  const given: Given = (value) => `$${values.push(value)}`
  const where = ['tenant_id = $2', 'tenant.ids is not null', ...listed(order), ...indexConditions(filter, given)]
  const perRow = rowConditions(filter, given)
  const matches = perRow.length === 0 ? 'true' : `(${perRow.join(' and ')}) is true`
  const text = asTenant(
    'counted, looked_at',
    `select count(*) filter (where matches) as counted, count(*) as looked_at
     from (select ${matches} as matches from hopwhistle.calls where ${where.join(' and ')} limit ${most + 1}) as listed`,
  )
  return { text, values }
}

type Looked = { readonly counted: string; readonly looked_at: string }

async function countUpTo(
  read: ReadRows,
  tenantId: string,
  filter: CallsFilter,
  order: CallsOrder,
  most: number,
): Promise<CallsCount> {
  const [row] = await read<Looked>(countStatement(tenantId, filter, order, most))
  const { counted = '0', looked_at: lookedAt = '0' } = row ?? {}
  return { value: Number(counted), is: Number(lookedAt) > most ? 'at-least' : 'exact' }
}

const listed = (order: CallsOrder): readonly string[] => {
  const { only } = orderedBy(order)
  return only === null ? [] : [only]
}

/** How many of the newest calls of the range match. Plan: calls_started, SAMPLE entries at most. */
function sampleStatement(tenantId: string, filter: CallsFilter, order: CallsOrder): ReportStatement {
  const values: unknown[] = [`{${tenantId}}`, tenantId]
  const given: Given = (value) => `$${values.push(value)}`
  const matches = ['true', ...listed(order), ...callsConditions(filter, given)].join(' and ')
  const where = ['tenant_id = $2', 'tenant.ids is not null', ...startConditions(filter, given)].join(' and ')
  const text = asTenant(
    'counted, looked_at',
    `select count(*) filter (where matches) as counted, count(*) as looked_at
     from (select (${matches}) is true as matches from hopwhistle.calls where ${where} order by started_at desc limit ${SAMPLE}) as newest`,
  )
  return { text, values }
}

/**
 * How many calls started in the range, to the hour. Rollups are kept longer than calls: they count from the day of the oldest
 * call on. Plan: calls_started, backwards; the key of the rollup.
 */
function startedStatement(tenantId: string, { startedFromMs, startedToMs }: CallsFilter): ReportStatement {
  const text = asTenant(
    'calls',
    `select coalesce(sum(h.calls), 0) as calls
     from hopwhistle.call_metrics_hourly h
     where h.tenant_id = $2 and tenant.ids is not null
       and h.hour >= date_trunc('hour', $3::timestamptz, 'UTC') and h.hour < $4::timestamptz
       and h.hour >= (
         select date_trunc('day', c.started_at, 'UTC') from hopwhistle.calls c
         where c.tenant_id = $2 order by c.started_at limit 1)`,
  )
  const bounds = [
    startedFromMs === undefined ? '-infinity' : isoTime(startedFromMs),
    startedToMs === undefined ? 'infinity' : isoTime(startedToMs),
  ]
  return { name: 'calls that started', text, values: [`{${tenantId}}`, tenantId, ...bounds] }
}
