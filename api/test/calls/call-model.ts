/**
 * The model of a call: the rules in plain TypeScript, with which property tests compare what Postgres stores. The service
 * itself folds calls in Postgres only (hopwhistle.write_call_events), by the same rules.
 *
 * INITIATED 0 ─▶ RINGING 1 ─▶ ANSWERED 2 ─▶ terminal 3 (COMPLETED, BUSY, NO_ANSWER, FAILED or CANCELED)
 *
 * The rules by which events make a call, in whatever order they come and however often:
 *
 * - The state moves forward by rank and never back; ranks may be skipped. Of several terminal states the one that
 *   occurred first stands. An event that corrects the final state stands before all that do not; of several corrections, the
 *   one that occurred last. Of those that occurred in the same millisecond, the one that comes last in CALL_STATES.
 * - The time of each rank is the smallest `occurredAt` of its events; the call started at the smallest of all.
 *   Late events fill in and correct times, never the state.
 * - Of a label, the value of the event that occurred last stands; of those that occurred in the same millisecond, the
 *   greater text.
 * - Numbers count in their normal form. Should events disagree on direction or numbers, the lesser text stands: arbitrary, but
 *   the same in any order.
 *
 * Each rule takes the largest or the smallest of a set, so every order and every grouping of the same events makes the
 * same call.
 */
import type { CallDirection, CallState } from '@hopwhistle/contract/calls.ts'
import { CALL_STATE_CODE, CALL_STATE_RANK, TERMINAL_RANK } from '@hopwhistle/contract/calls.ts'
import type { CallEvent } from '../../src/calls/call-event.ts'
import { normalNumber } from '../../src/reporting/normal-number.ts'

/** Times are Unix milliseconds. */
export type Call = {
  readonly state: CallState
  readonly startedAt: number
  readonly initiatedAt: number | undefined
  readonly ringingAt: number | undefined
  readonly answeredAt: number | undefined
  readonly endedAt: number | undefined
  /** The latest correction of its final state. */
  readonly correctedAt: number | undefined
  readonly direction: CallDirection | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  readonly labels: Readonly<Record<string, Given>> | undefined
}

/** The value of a label, and when the event that gave it occurred. */
export type Given = { readonly value: string; readonly occurredAt: number }

export type Folded = { readonly call: Call; readonly outcome: 'applied' | 'late' }

export type FoldableEvent = Pick<
  CallEvent,
  'state' | 'occurredAt' | 'direction' | 'from' | 'to' | 'corrects' | 'labels'
>

/** Folds one new event into its call; `call` is undefined for the first one. */
export function foldCall(call: Call | undefined, event: FoldableEvent): Folded {
  const { occurredAt } = event
  const rank = CALL_STATE_RANK[event.state]
  const at = (of: number) => (rank === of ? occurredAt : undefined)
  const correctedAt = event.corrects ? occurredAt : undefined
  const forward =
    call === undefined ||
    isFurther(
      { state: event.state, endedAt: occurredAt, correctedAt },
      { state: call.state, endedAt: call.endedAt, correctedAt: call.correctedAt },
    )
  return {
    outcome: forward ? 'applied' : 'late',
    call: {
      state: forward ? event.state : call.state,
      startedAt: lesser(call?.startedAt, occurredAt) as number,
      initiatedAt: lesser(call?.initiatedAt, at(0)),
      ringingAt: lesser(call?.ringingAt, at(1)),
      answeredAt: lesser(call?.answeredAt, at(2)),
      endedAt: lesser(call?.endedAt, at(TERMINAL_RANK)),
      correctedAt: greater(call?.correctedAt, correctedAt),
      direction: lesser(call?.direction, event.direction),
      from: lesser(call?.from, normal(event.from)),
      to: lesser(call?.to, normal(event.to)),
      labels: withLabels(call?.labels, event),
    },
  }
}

function withLabels(labels: Call['labels'], { labels: given = {}, occurredAt }: FoldableEvent): Call['labels'] {
  const all = { ...labels }
  for (const [name, value] of Object.entries(given)) {
    const known = all[name]
    const isLater =
      known === undefined || occurredAt > known.occurredAt || (occurredAt === known.occurredAt && value > known.value)
    if (isLater) all[name] = { value, occurredAt }
  }
  return Object.keys(all).length === 0 ? undefined : all
}

/** What is stored of a call's labels: not when they were given. */
export function plainLabels({ labels }: Pick<Call, 'labels'>): Readonly<Record<string, string>> | undefined {
  if (labels === undefined) return undefined
  return Object.fromEntries(Object.entries(labels).map(([name, { value }]) => [name, value]))
}

const normal = (number: string | undefined) => (number === undefined ? undefined : normalNumber(number))

type Progress = Pick<Call, 'state' | 'endedAt' | 'correctedAt'>

/** Whether a state stands before another: see the rules above. progressOf() is the same as one number. */
function isFurther(a: Progress, b: Progress): boolean {
  const [rank, than] = [CALL_STATE_RANK[a.state], CALL_STATE_RANK[b.state]]
  if (rank !== than || rank < TERMINAL_RANK) return rank > than
  const code = CALL_STATE_CODE[a.state] - CALL_STATE_CODE[b.state]
  if (a.correctedAt === undefined && b.correctedAt === undefined) {
    const later = (a.endedAt as number) - (b.endedAt as number)
    return later < 0 || (later === 0 && code > 0)
  }
  const later = (a.correctedAt ?? Number.NEGATIVE_INFINITY) - (b.correctedAt ?? Number.NEGATIVE_INFINITY)
  return later > 0 || (later === 0 && code > 0)
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

function greater(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b
  return b === undefined || a > b ? a : b
}
