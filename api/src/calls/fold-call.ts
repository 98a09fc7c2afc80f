/**
 * INITIATED 0 ─▶ RINGING 1 ─▶ ANSWERED 2 ─▶ terminal 3 (COMPLETED, BUSY, NO_ANSWER, FAILED or CANCELED)
 *
 * The rules by which events make a call, in whatever order they come and however often:
 *
 * - The state moves forward by rank and never back; ranks may be skipped. Terminal states share a rank, so the first
 *   one to be committed stays.
 * - The time of each rank is the smallest `occurredAt` of its events; the call started at the smallest of all.
 *   Late events fill in and correct times, never the state.
 * - Should events disagree on direction or numbers, the lesser text stands: arbitrary, but the same in any order.
 *
 * So every order of the same events makes the same call, but for one thing: of two different terminal states,
 * the one that came first.
 *
 * Postgres applies the same rules (hopwhistle.write_call_events); these are what it is tested against.
 */
import type { CallDirection, CallState } from '@hopwhistle/contract/calls.ts'
import { CALL_STATE_RANK, TERMINAL_RANK } from '@hopwhistle/contract/calls.ts'
import type { CallEvent } from './call-event.ts'

/** Times are Unix milliseconds. */
export type Call = {
  readonly state: CallState
  readonly startedAt: number
  readonly initiatedAt: number | undefined
  readonly ringingAt: number | undefined
  readonly answeredAt: number | undefined
  readonly endedAt: number | undefined
  readonly direction: CallDirection | undefined
  readonly from: string | undefined
  readonly to: string | undefined
}

export type Folded = { readonly call: Call; readonly outcome: 'applied' | 'late' }

export type FoldableEvent = Pick<CallEvent, 'state' | 'occurredAt' | 'direction' | 'from' | 'to'>

/** Folds one new event into its call; `call` is undefined for the first one. */
export function foldCall(call: Call | undefined, event: FoldableEvent): Folded {
  const { occurredAt } = event
  const rank = CALL_STATE_RANK[event.state]
  const at = (of: number) => (rank === of ? occurredAt : undefined)
  const forward = call === undefined || rank > CALL_STATE_RANK[call.state]
  return {
    outcome: forward ? 'applied' : 'late',
    call: {
      state: forward ? event.state : call.state,
      startedAt: lesser(call?.startedAt, occurredAt) as number,
      initiatedAt: lesser(call?.initiatedAt, at(0)),
      ringingAt: lesser(call?.ringingAt, at(1)),
      answeredAt: lesser(call?.answeredAt, at(2)),
      endedAt: lesser(call?.endedAt, at(TERMINAL_RANK)),
      direction: lesser(call?.direction, event.direction),
      from: lesser(call?.from, event.from),
      to: lesser(call?.to, event.to),
    },
  }
}

/** Milliseconds from the first sign of the call to its answer. A clock that runs backwards makes 0. */
export function ringMs(call: Pick<Call, 'initiatedAt' | 'ringingAt' | 'answeredAt'>): number | undefined {
  return elapsedMs(lesser(call.initiatedAt, call.ringingAt), call.answeredAt)
}

/** Milliseconds from the answer to the end. */
export function talkMs(call: Pick<Call, 'answeredAt' | 'endedAt'>): number | undefined {
  return elapsedMs(call.answeredAt, call.endedAt)
}

function elapsedMs(since: number | undefined, until: number | undefined): number | undefined {
  return since === undefined || until === undefined ? undefined : Math.max(0, until - since)
}

function lesser<T extends number | string>(a: T | undefined, b: T | undefined): T | undefined {
  if (a === undefined) return b
  return b === undefined || a < b ? a : b
}
