import type { EncodedMessage } from './messages.ts'

/** A range of messages in one frame, ready to be written to any number of sockets. */
export type EventsFrame = { readonly bytes: Buffer; readonly count: number; readonly to: number }

/** Longer frames are cut in two, so that a reader gets hold of the first messages before the last are sent. */
const FRAME_MAX_CHARACTERS = 131_072

/**
 * The `events` frames that settle `from`…`to` with these messages, in order.
 *
 * @param messages some of that range, by offset; none makes one frame without messages
 */
export function eventsFrames(
  epoch: string,
  from: number,
  to: number,
  messages: readonly EncodedMessage[],
  sentAt: number,
): EventsFrame[] {
  const frames: EventsFrame[] = []
  let start = from
  let lines = ''
  let count = 0
  let oldestAt = sentAt
  const cut = (end: number) => {
    const head = `{"type":"events","epoch":"${epoch}","from":${start},"to":${end},"count":${count},"sentAt":${sentAt},"oldestAt":${count === 0 ? sentAt : oldestAt}}`
    frames.push({ bytes: textFrame(head + lines), count, to: end })
    start = end + 1
    lines = ''
    count = 0
  }
  for (const message of messages) {
    oldestAt = count === 0 ? message.occurredAt : Math.min(oldestAt, message.occurredAt)
    lines += `\n${message.line}`
    count += 1
    if (lines.length >= FRAME_MAX_CHARACTERS && message.offset < to) cut(message.offset)
  }
  cut(to)
  return frames
}

/** A notice of the protocol as a frame. */
export function jsonFrame(value: object): Buffer {
  return textFrame(JSON.stringify(value))
}

const FIN_AND_TEXT = 0x81
const LENGTH_IN_16_BITS = 126
const LENGTH_IN_64_BITS = 127

/**
 * A whole WebSocket text frame, header and payload in one piece (RFC 6455, 5.2). A server does not mask, so the bytes
 * are the same for every socket, and one write sends them.
 */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  if (length < LENGTH_IN_16_BITS) {
    const frame = Buffer.allocUnsafe(2 + length)
    frame[0] = FIN_AND_TEXT
    frame[1] = length
    frame.write(text, 2)
    return frame
  }
  const wide = length > 0xffff
  const frame = Buffer.allocUnsafe((wide ? 10 : 4) + length)
  frame[0] = FIN_AND_TEXT
  frame[1] = wide ? LENGTH_IN_64_BITS : LENGTH_IN_16_BITS
  if (wide) frame.writeBigUInt64BE(BigInt(length), 2)
  else frame.writeUInt16BE(length, 2)
  frame.write(text, wide ? 10 : 4)
  return frame
}
