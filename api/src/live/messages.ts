import type { LiveMessage } from '@hopwhistle/contract/live.ts'
import type { TypeMask } from '@hopwhistle/contract/patterns.ts'
import { bitOfType } from '@hopwhistle/contract/patterns.ts'

/** A message before it has its offset. */
export type UnnumberedMessage = Omit<LiveMessage, 'offset'>

/** A message as an instance passes it on: encoded once for all readers. */
export type EncodedMessage = {
  readonly offset: number
  readonly bit: TypeMask
  readonly occurredAt: number
  readonly receivedAt: number
  /** The line of the `events` frame. */
  readonly line: string
}

/**
 * The body of a batch on its way through Redis: a line for each message, `type occurredAt receivedAt rest`, where
 * `rest` is the message's JSON without the opening brace, so that a receiver only puts the offset in front.
 */
export function encodeBody(messages: readonly UnnumberedMessage[]): string {
  return messages.map(encodeMessage).join('\n')
}

function encodeMessage(message: UnnumberedMessage): string {
  const { type, eventId, callId, sequence, occurredAt, receivedAt, outcome, corrects, direction, from, to } = message
  // The order is the contract's: see LiveMessage.
  const ordered = { type, eventId, callId, sequence, occurredAt, receivedAt, outcome, corrects, direction, from, to }
  const json = JSON.stringify(ordered)
  return `${type} ${occurredAt} ${receivedAt} ${json.slice(1)}`
}

/** @param from the offset of the first */
export function decodeBody(from: number, body: string): EncodedMessage[] {
  return body.split('\n').map((line, index) => {
    const afterType = line.indexOf(' ')
    const afterOccurred = line.indexOf(' ', afterType + 1)
    const afterReceived = line.indexOf(' ', afterOccurred + 1)
    const offset = from + index
    return {
      offset,
      bit: bitOfType(line.slice(0, afterType)),
      occurredAt: Number(line.slice(afterType + 1, afterOccurred)),
      receivedAt: Number(line.slice(afterOccurred + 1, afterReceived)),
      line: `{"offset":${offset},${line.slice(afterReceived + 1)}`,
    }
  })
}
