import { CALL_DIRECTIONS, CALL_STATE_CODE, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import { STALE_BEFORE } from './calls-conditions.ts'

/** A call as Postgres sent it: every value as text. */
export type CallRow = {
  readonly call_id: string
  readonly state: string
  readonly direction: string | null
  readonly from_number: string | null
  readonly to_number: string | null
  readonly started_at: string
  readonly initiated_at: string | null
  readonly ringing_at: string | null
  readonly answered_at: string | null
  readonly ended_at: string | null
  readonly updated_at: string
  readonly ring_ms: string | null
  readonly talk_ms: string | null
  readonly duration_ms: string | null
  readonly sequence: string | null
  readonly stale: 't' | 'f' | null
  /** JSON. */
  readonly labels: string | null
}

/** What a `CallRow` is selected with, from rows of hopwhistle.calls. $2 is the tenant. */
export const CALL_COLUMNS = `call_id, sequence, state, direction, from_number, to_number,
  started_at at time zone 'UTC' as started_at,
  initiated_at at time zone 'UTC' as initiated_at,
  ringing_at at time zone 'UTC' as ringing_at,
  answered_at at time zone 'UTC' as answered_at,
  ended_at at time zone 'UTC' as ended_at,
  updated_at at time zone 'UTC' as updated_at,
  hopwhistle.elapsed_ms(least(initiated_at, ringing_at), answered_at) as ring_ms,
  hopwhistle.elapsed_ms(answered_at, ended_at) as talk_ms,
  hopwhistle.elapsed_ms(started_at, ended_at) as duration_ms,
  state < ${CALL_STATE_CODE.COMPLETED} and started_at < ${STALE_BEFORE} as stale, labels`

/** The fields of a call as JSON, without the braces. Put together by hand: most values go out as they came in. */
export function callFields(row: CallRow): string {
  return (
    `"callId":${JSON.stringify(row.call_id)},"sequence":${row.sequence},"state":"${CALL_STATES[Number(row.state)]}",` +
    `"direction":${directionJson(row.direction)},"from":${textJson(row.from_number)},"to":${textJson(row.to_number)},` +
    `"startedAt":${timeJson(row.started_at)},"initiatedAt":${timeJson(row.initiated_at)},` +
    `"ringingAt":${timeJson(row.ringing_at)},"answeredAt":${timeJson(row.answered_at)},` +
    `"endedAt":${timeJson(row.ended_at)},"updatedAt":${timeJson(row.updated_at)},` +
    `"ringMs":${row.ring_ms},"talkMs":${row.talk_ms},"durationMs":${row.duration_ms},"stale":${row.stale === 't'},"labels":${row.labels ?? '{}'}`
  )
}

export function directionJson(code: string | null): string {
  return code === null ? 'null' : `"${CALL_DIRECTIONS[Number(code)]}"`
}

export function textJson(text: string | null): string {
  return text === null ? 'null' : JSON.stringify(text)
}

/** From `2026-11-24 10:00:00.123`, UTC, to RFC 3339. */
export function timeJson(text: string | null): string {
  return text === null ? 'null' : `"${text.slice(0, 10)}T${text.slice(11)}Z"`
}
