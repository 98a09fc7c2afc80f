import { asTenant, SHOWN_UP_TO } from './as-tenant.ts'
import { CALL_COLUMNS } from './call-json.ts'
import {
  directionCondition,
  EVERY_DIRECTION,
  EVERY_FINAL_STATE,
  type Given,
  indexConditions,
  isFinal,
  isoTime,
  numberConditions,
  rowConditions,
  staleConditions,
  stateCondition,
} from './calls-conditions.ts'
import type { CallsFilter } from './calls-filter.ts'
import { type CallsOrder, type OrderedBy, orderedBy, USUAL_ORDER } from './calls-order.ts'
import type { PageCursor } from './page-cursor.ts'
import type { ReportStatement } from './read-report.ts'

/** How many rows a statement fetches: few different texts, and one row more than any page up to there. */
const FETCH_SIZES = [26, 51, 101, 201] as const
/** Rows that a page looks at for calls that match what no index has. Then it ends, with as many as were found. */
const LOOK_AT_MOST = 5_000
/** Of each of several branches, of which most have hardly any. */
const LOOK_AT_IN_BRANCH = 1_000

/**
 * A page of calls by an order and by call_id: as fast on the ten-thousandth page as on the first, and under every
 * combination of filters.
 *
 * Plan, by start: every index of the filters ends in started_at desc, so a page is about `limit` index entries from where
 * the last one ended, an incremental sort by call_id where calls started in the same instant, and never a sort or a
 * count of what lies before. For that, all columns of the index that come earlier must be given:
 *
 *   calls_started      tenant
 *   calls_final_state  tenant, final_state, direction
 *   calls_from         tenant, from_number, final_state, direction
 *   calls_to           tenant, to_number, final_state, direction
 *
 * Where a filter leaves final_state or direction open, their few values are enumerated: one branch each, every branch
 * in order and no longer than a page, merged. 18 branches read a page of one number's calls in about a millisecond.
 *
 * With two numbers, the index of one is read and the other compared row by row. Postgres takes the rarer one, for which it
 * must know them: such a statement is planned again each time (about 3 ms). An index of both would make every write cost 10 % more.
 *
 * By end and by talk time: calls_ended and calls_talk, one branch.
 *
 * What no index of the order has is looked up in each row, up to a number of them. The last row of a branch that was looked at
 * comes as well when it is as many (`stopped`): up to the first such row, in order, the page is complete.
 */
export function callsPageStatement(
  tenantId: string,
  filter: CallsFilter,
  cursor: PageCursor | undefined,
  limit: number,
  order: CallsOrder = USUAL_ORDER,
): ReportStatement {
  const fetch = FETCH_SIZES.find((size) => size > limit)
  if (fetch === undefined)
    throw new RangeError(`limit is ${limit}; it may be 1 to ${(FETCH_SIZES.at(-1) as number) - 1}`)
  const by = orderedBy(order)
  const values: unknown[] = [`{${tenantId}}`, tenantId, placeOf(by, filter, cursor), cursor?.place[1] ?? '']
  const given: Given = (value) => `$${values.push(value)}`
  const sorted = `${by.column} ${by.direction}, call_id ${by.direction}`
  const branches = by.column === 'started_at' ? byStart(filter, by, given) : byOther(filter, by, given)
  const texts = branches.map((one) => branch(one, by, fetch, branches.length === 1 ? LOOK_AT_MOST : LOOK_AT_IN_BRANCH))
  const merged =
    texts.length === 1
      ? (texts[0] as string)
      : `select * from (${texts.join('\nunion all\n')}) as u order by ${sorted} limit ${fetch}`
  const text = asTenant(COLUMNS, merged)
  return isUsual(filter, order) ? { name: `calls ${shape(filter)} ${fetch}`, text, values } : { text, values }
}

type Branch = {
  readonly indexed: readonly string[]
  readonly perRow: readonly string[]
  /** By columns before the order's that have one value in it: Postgres does not know that "is null" leaves just one to sort. */
  readonly sortedBefore: string
}

function byStart(filter: CallsFilter, by: OrderedBy, given: Given): readonly Branch[] {
  // The other end of the range than the one that the page comes from.
  const bound =
    by.direction === 'desc'
      ? `started_at >= ${given(filter.startedFromMs === undefined ? '-infinity' : isoTime(filter.startedFromMs))}`
      : `started_at < ${given(filter.startedToMs === undefined ? 'infinity' : isoTime(filter.startedToMs))}`
  const numbers = numberConditions(filter, given)
  const stale = staleConditions(filter)
  const perRow = rowConditions(filter, given)
  const { state, direction } = filter
  if (state === undefined && direction === undefined && numbers.length === 0 && stale.length === 0) {
    return [{ indexed: [bound], perRow, sortedBefore: '' }]
  }
  // A stale call has no final state.
  const states = state !== undefined ? [stateCondition(state, given)] : stale.length > 0 ? [] : EVERY_FINAL_STATE
  const directions = direction === undefined ? EVERY_DIRECTION : [directionCondition(direction, given)]
  const sortedBefore = `final_state ${by.direction === 'desc' ? 'asc' : 'desc'}, direction ${by.direction === 'desc' ? 'asc' : 'desc'}, `
  return (states.length === 0 ? [[]] : states.map((one) => [one])).flatMap((ofState) =>
    directions.map((ofDirection) => ({
      indexed: [...numbers, ...ofState, ofDirection, ...stale, bound],
      perRow,
      sortedBefore,
    })),
  )
}

/** A call that is on its way, or has no talk time, is in no such list: no row is looked at for it. */
function byOther(filter: CallsFilter, by: OrderedBy, given: Given): readonly Branch[] {
  const { state, stale, answered, startedFromMs, talkMinMs, talkMaxMs } = filter
  const none =
    stale === true || (state !== undefined && !isFinal(state)) || (by.column === 'talk_ms' && answered === false)
  const indexed = [
    by.only as string,
    ...(none ? ['false'] : []),
    // A call ends after it started.
    ...(by.column === 'ended_at' && startedFromMs !== undefined
      ? [`ended_at >= ${given(isoTime(startedFromMs))}`]
      : []),
    ...(by.column === 'talk_ms' && talkMinMs !== undefined ? [`talk_ms >= ${given(talkMinMs)}`] : []),
    ...(by.column === 'talk_ms' && talkMaxMs !== undefined ? [`talk_ms <= ${given(talkMaxMs)}`] : []),
  ]
  return [{ indexed, perRow: [...indexConditions(filter, given), ...rowConditions(filter, given)], sortedBefore: '' }]
}

const ROW_COLUMNS = `call_id, sequence, state, direction, from_number, to_number,
  started_at, initiated_at, ringing_at, answered_at, ended_at, updated_at, talk_ms, labels`

const COLUMNS = `${CALL_COLUMNS}, ${SHOWN_UP_TO} as shown_up_to, matches, stopped`

function branch({ indexed, perRow, sortedBefore }: Branch, by: OrderedBy, fetch: number, lookAt: number): string {
  const where = [
    'tenant_id = $2',
    'tenant.ids is not null',
    ...indexed,
    `(${by.column}, call_id) ${by.after} ($3, $4)`,
  ].join(' and ')
  const order = `${sortedBefore}${by.column} ${by.direction}, call_id ${by.direction}`
  if (perRow.length === 0) {
    return `(select ${ROW_COLUMNS}, true as matches, false as stopped from hopwhistle.calls where ${where} order by ${order} limit ${fetch})`
  }
  return `(select ${ROW_COLUMNS}, matches, n = ${lookAt} as stopped
    from (
      select ${ROW_COLUMNS}, (${perRow.join(' and ')}) is true as matches, row_number() over (order by ${order}) as n
      from hopwhistle.calls where ${where} order by ${order} limit ${lookAt}
    ) as looked_at
    where matches or n = ${lookAt} limit ${fetch})`
}

/** (started_at, call_id) < (bound, '') is started_at < bound; > is from it on. */
function placeOf(
  { column, direction, beginning }: OrderedBy,
  filter: CallsFilter,
  cursor: PageCursor | undefined,
): string {
  if (cursor !== undefined) return column === 'talk_ms' ? (cursor.place[0] as string) : `${cursor.place[0]}Z`
  const bound = direction === 'desc' ? filter.startedToMs : filter.startedFromMs
  return column === 'started_at' && bound !== undefined ? isoTime(bound) : beginning
}

/** Two numbers are planned for what they are; so is what is asked for seldom, which would be very many statements. */
function isUsual(filter: CallsFilter, order: CallsOrder): boolean {
  const { state, direction, fromNumber, toNumber, startedFromMs, startedToMs, ...others } = filter
  const hasTwo = fromNumber !== undefined && toNumber !== undefined
  return order === USUAL_ORDER && !hasTwo && Object.keys(others).length === 0
}

function shape(filter: CallsFilter): string {
  const state = filter.state === undefined ? '-' : isFinal(filter.state) ? 'f' : 'p'
  const flag = (given: unknown, letter: string) => (given === undefined ? '-' : letter)
  return state + flag(filter.direction, 'd') + flag(filter.fromNumber, 'n') + flag(filter.toNumber, 't')
}
