import {
  directionCondition,
  EVERY_DIRECTION,
  EVERY_FINAL_STATE,
  type Given,
  isFinal,
  NOT_FINAL,
  numberConditions,
  rowConditions,
  staleConditions,
  stateCondition,
} from '../calls-conditions.ts'
import type { CallsFilter } from '../calls-filter.ts'

/** Calls of a range, in SQL: what an index finds, and what is left to compare row by row. */
export type CallsInRange = { readonly source: string; readonly conditions: readonly string[] }

/**
 * Every call of the tenant $2 that started from $3 until before $4 and may match, up to $6 and one more.
 *
 * Plan: a range of one index of calls for each branch, in its order, so that nothing is read that is not in `source`: what is
 * to be bounded is counted there. For that, all columns of the index before started_at must be given, or enumerated:
 *
 *   calls_started      tenant
 *   calls_final_state  tenant, final_state, direction
 *   calls_from         tenant, from_number, final_state, direction
 *   calls_to           tenant, to_number, final_state, direction
 *
 * @param columns that are selected @param given takes a value and returns its parameter
 */
export function callsInRange(columns: string, filter: CallsFilter, given: Given): CallsInRange {
  const { state, direction } = filter
  // The index of one number is read; the other is compared row by row.
  const [number, ...otherNumber] = numberConditions(filter, given)
  const states = state === undefined ? EVERY_FINAL_STATE : [isFinal(state) ? stateCondition(state, given) : NOT_FINAL]
  const directions = direction === undefined ? EVERY_DIRECTION : [directionCondition(direction, given)]
  const whole = state === undefined && direction === undefined && number === undefined
  const branches = whole
    ? [[]]
    : states.flatMap((ofState) =>
        directions.map((ofDirection) => [...(number === undefined ? [] : [number]), ofState, ofDirection]),
      )
  return {
    source: branches.map((conditions) => branch(columns, conditions, whole)).join('\n  union all\n'),
    conditions: [
      ...(state === undefined || isFinal(state) ? [] : [stateCondition(state, given)]),
      ...otherNumber,
      ...staleConditions(filter),
      ...rowConditions(filter, given),
    ],
  }
}

function branch(columns: string, conditions: readonly string[], whole: boolean): string {
  // Without an order, Postgres may prefer to read the table, with the calls of all tenants.
  const order = whole ? 'started_at desc' : 'final_state, direction, started_at desc'
  const all = ['tenant_id = $2', 'tenant.ids is not null', ...conditions, 'started_at >= $3', 'started_at < $4']
  return `  (select ${columns} from hopwhistle.calls where ${all.join(' and ')} order by ${order} limit $6::bigint + 1)`
}
