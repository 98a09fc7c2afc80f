import { CALL_STATE_CODE, CALL_STATE_RANK, TERMINAL_RANK } from '@hopwhistle/contract/calls.ts'
import type { CallEvent } from './call-event.ts'

/** Divisible by 8, and larger than eight times any time in milliseconds. */
const ENDED = 2 ** 52

/**
 * How far an event takes its call, as one number. Of any set of events the largest decides the state, so that their order
 * does not matter. The last three bits are the state.
 *
 * - below 8: the state, on its way
 * - below 2^52: a terminal state; the one that occurred first is the largest, then the one that comes last in CALL_STATES
 * - above 2^52: a correction; the one that occurred last is the largest, then the one that comes last in CALL_STATES
 *
 * @example progressOf({ state: 'RINGING', occurredAt: 1764500000000, corrects: undefined }) // 1
 */
export function progressOf({
  state,
  occurredAt,
  corrects,
}: Pick<CallEvent, 'state' | 'occurredAt' | 'corrects'>): number {
  const code = CALL_STATE_CODE[state]
  if (CALL_STATE_RANK[state] < TERMINAL_RANK) return code
  return (corrects ? ENDED + occurredAt * 8 : ENDED - occurredAt * 8) + code
}
