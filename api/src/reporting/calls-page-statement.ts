import { CALL_DIRECTIONS, CALL_STATE_CODE, CALL_STATE_RANK, TERMINAL_RANK } from '@hopwhistle/contract/calls.ts'
import { asTenant, SHOWN_UP_TO } from './as-tenant.ts'
import { CALL_COLUMNS } from './call-json.ts'
import type { CallsFilter } from './calls-filter.ts'
import type { PageCursor } from './page-cursor.ts'
import type { ReportStatement } from './read-report.ts'

/** How many rows a statement fetches: few different texts, and one row more than any page up to there. */
const FETCH_SIZES = [26, 51, 101, 201] as const

/**
 * A page of calls, newest first, by (started_at, call_id): as fast on the ten-thousandth page as on the first, and
 * under every combination of filters.
 *
 * Plan: every index of the filters ends in started_at desc, so a page is about `limit` index entries from where the
 * last one ended, an incremental sort by call_id where calls started in the same instant, and never a sort or a
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
 */
export function callsPageStatement(
  tenantId: string,
  filter: CallsFilter,
  cursor: PageCursor | undefined,
  limit: number,
): ReportStatement {
  const fetch = FETCH_SIZES.find((size) => size > limit)
  if (fetch === undefined)
    throw new RangeError(`limit is ${limit}; it may be 1 to ${(FETCH_SIZES.at(-1) as number) - 1}`)
  const values: unknown[] = [
    `{${tenantId}}`,
    tenantId,
    cursor === undefined ? upperBound(filter.startedToMs) : `${cursor.place[0]}Z`,
    cursor?.place[1] ?? '',
    filter.startedFromMs === undefined ? '-infinity' : new Date(filter.startedFromMs).toISOString(),
  ]
  const given = (value: unknown) => `$${values.push(value)}`
  const numbers = [
    ...(filter.fromNumber === undefined ? [] : [`from_number = ${given(filter.fromNumber)}`]),
    ...(filter.toNumber === undefined ? [] : [`to_number = ${given(filter.toNumber)}`]),
  ]
  const states = filter.state === undefined ? EVERY_FINAL_STATE : [stateCondition(filter.state, given)]
  const directions =
    filter.direction === undefined
      ? EVERY_DIRECTION
      : [`direction = ${given(CALL_DIRECTIONS.indexOf(filter.direction))}`]
  const unfiltered = filter.state === undefined && filter.direction === undefined && numbers.length === 0
  const branches = unfiltered
    ? [branch([], 'started_at desc, call_id desc', fetch)]
    : states.flatMap((state) =>
        directions.map((direction) =>
          // Named in full, as the index has them: Postgres does not know that "is null" leaves just one value to sort.
          branch([...numbers, state, direction], 'final_state, direction, started_at desc, call_id desc', fetch),
        ),
      )
  const merged =
    branches.length === 1
      ? (branches[0] as string)
      : `select * from (${branches.join('\nunion all\n')}) as u order by started_at desc, call_id desc limit ${fetch}`
  const text = asTenant(COLUMNS, merged)
  return numbers.length === 2 ? { text, values } : { name: `calls ${shape(filter)} ${fetch}`, text, values }
}

const EVERY_FINAL_STATE = [
  'final_state is null',
  ...Object.values(CALL_STATE_CODE)
    .filter((code) => code >= CALL_STATE_CODE.COMPLETED)
    .map((code) => `final_state = ${code}`),
]
const EVERY_DIRECTION = ['direction is null', ...CALL_DIRECTIONS.map((_, code) => `direction = ${code}`)]

const ROW_COLUMNS = `call_id, state, direction, from_number, to_number,
  started_at, initiated_at, ringing_at, answered_at, ended_at, updated_at`

const COLUMNS = `${CALL_COLUMNS}, ${SHOWN_UP_TO} as shown_up_to`

function branch(conditions: readonly string[], order: string, fetch: number): string {
  const all = [
    'tenant_id = $2',
    'tenant.ids is not null',
    ...conditions,
    '(started_at, call_id) < ($3, $4)',
    'started_at >= $5',
  ]
  return `(select ${ROW_COLUMNS} from hopwhistle.calls where ${all.join(' and ')} order by ${order} limit ${fetch})`
}

/** A call in progress has no final state; those are few, so the state is read from the row. */
function stateCondition(state: NonNullable<CallsFilter['state']>, given: (value: unknown) => string): string {
  const code = given(CALL_STATE_CODE[state])
  return CALL_STATE_RANK[state] === TERMINAL_RANK ? `final_state = ${code}` : `final_state is null and state = ${code}`
}

/** (started_at, call_id) < (bound, '') is started_at < bound. */
function upperBound(startedToMs: number | undefined): string {
  return startedToMs === undefined ? 'infinity' : new Date(startedToMs).toISOString()
}

function shape(filter: CallsFilter): string {
  const state = filter.state === undefined ? '-' : CALL_STATE_RANK[filter.state] === TERMINAL_RANK ? 'f' : 'p'
  const flag = (given: unknown, letter: string) => (given === undefined ? '-' : letter)
  return state + flag(filter.direction, 'd') + flag(filter.fromNumber, 'n') + flag(filter.toNumber, 't')
}
