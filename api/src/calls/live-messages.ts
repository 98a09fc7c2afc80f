import type { CallState } from '@hopwhistle/contract/calls.ts'
import type { LiveMessage, LiveType } from '@hopwhistle/contract/live.ts'
import type { CallEvent } from './call-event.ts'

/** A message before the live side has given it its offset. */
export type UnnumberedMessage = Omit<LiveMessage, 'offset'>

/** What a commit has to say to one tenant's subscribers. The same `batchId` always has the same messages. */
export type CommittedBatch = {
  readonly batchId: string
  readonly tenantId: string
  /** In the order of commit. */
  readonly messages: readonly UnnumberedMessage[]
}

/** Resolves when the batch is published; rejects when it is not, or nobody knows: it will be published again. */
export type PublishBatch = (batch: CommittedBatch) => Promise<void>

/** What a message says of an event, besides what the event itself says. */
export type Stored = {
  /** Which event of its call it is, in the order of commit, from 1. */
  readonly sequence: number | null
  /** Unix milliseconds. */
  readonly receivedAt: number
  readonly outcome: 'applied' | 'late'
}

export function liveMessage(event: CallEvent, { sequence, receivedAt, outcome }: Stored): UnnumberedMessage {
  const { eventId, callId, occurredAt, direction, from, to, corrects } = event
  return {
    type: LIVE_TYPE[event.state],
    eventId,
    callId,
    sequence,
    occurredAt,
    receivedAt,
    outcome,
    ...(corrects === undefined ? undefined : { corrects }),
    ...(direction === undefined ? undefined : { direction }),
    ...(from === undefined ? undefined : { from }),
    ...(to === undefined ? undefined : { to }),
  }
}

const LIVE_TYPE: Readonly<Record<CallState, LiveType>> = {
  INITIATED: 'call.initiated',
  RINGING: 'call.ringing',
  ANSWERED: 'call.answered',
  COMPLETED: 'call.completed',
  BUSY: 'call.busy',
  NO_ANSWER: 'call.no_answer',
  FAILED: 'call.failed',
  CANCELED: 'call.canceled',
}
