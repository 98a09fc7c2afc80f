/**
 * A filter as conditions on rows of hopwhistle.calls, for every statement that has one. $2 is the tenant.
 *
 * Those that an index of the table begins with are apart from those that are looked up in each row.
 */
import { CALL_DIRECTIONS, CALL_STATE_CODE, CALL_STATE_RANK, TERMINAL_RANK } from '@hopwhistle/contract/calls.ts'
import type { CallsFilter } from './calls-filter.ts'
import { labelConditions } from './label-filter.ts'

/** Adds a value to the statement, and tells its placeholder. */
export type Given = (value: unknown) => string

/** Calls that began before and have no final state are stale. Asked once in a statement. */
export const STALE_BEFORE = '(select hopwhistle.stale_before($2))'

/** All of a filter, in whatever order calls are read. */
export function callsConditions(filter: CallsFilter, given: Given): readonly string[] {
  return [...indexConditions(filter, given), ...rowConditions(filter, given)]
}

/** What an index narrows down: numbers, state, direction and when calls started. */
export function indexConditions(filter: CallsFilter, given: Given): readonly string[] {
  return [
    ...numberConditions(filter, given),
    ...(filter.state === undefined ? [] : [stateCondition(filter.state, given)]),
    ...(filter.direction === undefined ? [] : [directionCondition(filter.direction, given)]),
    ...startConditions(filter, given),
    ...staleConditions(filter),
  ]
}

/** What no index has: it is looked up in each row. */
export function rowConditions(filter: CallsFilter, given: Given): readonly string[] {
  const { answered, stale, talkMinMs, talkMaxMs, durationMinMs, durationMaxMs, labels = [] } = filter
  const duration = 'hopwhistle.elapsed_ms(started_at, ended_at)'
  return [
    ...(answered === undefined ? [] : [`answered_at is ${answered ? 'not null' : 'null'}`]),
    ...(stale === false ? [`not (final_state is null and started_at < ${STALE_BEFORE})`] : []),
    ...(talkMinMs === undefined ? [] : [`talk_ms >= ${given(talkMinMs)}`]),
    ...(talkMaxMs === undefined ? [] : [`talk_ms <= ${given(talkMaxMs)}`]),
    ...(durationMinMs === undefined ? [] : [`${duration} >= ${given(durationMinMs)}`]),
    ...(durationMaxMs === undefined ? [] : [`${duration} <= ${given(durationMaxMs)}`]),
    ...labelConditions(labels, given),
  ]
}

export function numberConditions({ fromNumber, toNumber }: CallsFilter, given: Given): readonly string[] {
  return [
    ...(fromNumber === undefined ? [] : [`from_number = ${given(fromNumber)}`]),
    ...(toNumber === undefined ? [] : [`to_number = ${given(toNumber)}`]),
  ]
}

/** Every value that a call has in a column of an index, each as a condition: for a filter that leaves it open. */
export const NOT_FINAL = 'final_state is null'
export const EVERY_FINAL_STATE = [
  NOT_FINAL,
  ...Object.values(CALL_STATE_CODE)
    .filter((code) => code >= CALL_STATE_CODE.COMPLETED)
    .map((code) => `final_state = ${code}`),
]
export const EVERY_DIRECTION = ['direction is null', ...CALL_DIRECTIONS.map((_, code) => `direction = ${code}`)]

export const isFinal = (state: NonNullable<CallsFilter['state']>): boolean => CALL_STATE_RANK[state] === TERMINAL_RANK

/** A call in progress has no final state; those are few, so the state is read from the row. */
export function stateCondition(state: NonNullable<CallsFilter['state']>, given: Given): string {
  const code = given(CALL_STATE_CODE[state])
  return isFinal(state) ? `final_state = ${code}` : `${NOT_FINAL} and state = ${code}`
}

export function directionCondition(direction: NonNullable<CallsFilter['direction']>, given: Given): string {
  return `direction = ${given(CALL_DIRECTIONS.indexOf(direction))}`
}

export function staleConditions({ stale }: CallsFilter): readonly string[] {
  return stale === true ? ['final_state is null', `started_at < ${STALE_BEFORE}`] : []
}

export function startConditions({ startedFromMs, startedToMs }: CallsFilter, given: Given): readonly string[] {
  return [
    ...(startedFromMs === undefined ? [] : [`started_at >= ${given(isoTime(startedFromMs))}`]),
    ...(startedToMs === undefined ? [] : [`started_at < ${given(isoTime(startedToMs))}`]),
  ]
}

export const isoTime = (ms: number): string => new Date(ms).toISOString()
