import type { CallDirection, CallState, EventOutcome } from '@hopwhistle/contract/calls.ts'
import type { Labels } from './labels.ts'

/** One call event, checked: everything in it can be stored. */
export type CallEvent = {
  readonly eventId: string
  readonly callId: string
  readonly state: CallState
  /** Unix milliseconds. */
  readonly occurredAt: number
  readonly direction: CallDirection | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  /** Its state replaces a wrong final state. */
  readonly corrects: true | undefined
  /** Absent when it carries none. */
  readonly labels?: Labels | undefined
  /** JSON text of an object. */
  readonly metadata: string | undefined
}

/** What its sender learns of an event that is committed. */
export type Receipt = {
  readonly outcome: EventOutcome
  /** The state of the event's call as of the commit. */
  readonly callState: CallState
  /** In the write-ahead log: a report that shows everything up to there shows the event, or something later. */
  readonly position: string
}
