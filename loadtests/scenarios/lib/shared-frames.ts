/**
 * Reads each frame once for all sockets of a VU that receive it.
 *
 * An API instance sends the same bytes to every subscriber of `call.*`, so that most frames have just been read for
 * another socket: comparing costs k6's engine under 1 µs, reading all messages 60 µs. Frames of several instances
 * differ in their heads, and their messages are the same bytes when they settle the same offsets: then those are read
 * once as well. Latencies are counted once for all sockets that handle a frame in the same millisecond. So every
 * delivery is timed exactly, at the cost of a few.
 */
import { emptyHead, emptyMessages, type Head, type Messages, readHead, readMessages, readWhole } from './live-frame.ts'

/** The messages of a frame, and what is the same about them for everybody who receives it. */
export type Body = Messages & {
  /** All of the frame from the end of its head on. */
  readonly text: string
  /** How many messages were read. */
  readonly count: number
  /** When the messages of this run were sent: `occurredAt` of those with a number. */
  readonly sentAt: readonly number[]
  /** It has every offset of its range, in order, and all of its messages have numbers. */
  readonly isWhole: boolean
  /** How many of the frame's claims are wrong: its count, and offsets that are not in order or not in its range. */
  readonly flaws: number
}

export type SharedFrame = Head & {
  frame: string
  body: Body
  /** Handled at this Unix millisecond … */
  at: number
  /** … for this many sockets that are not handed over yet. */
  sockets: number
}

export type SharedFrames = {
  /**
   * Finds or reads a frame. Whoever has the one before at hand may compare with its `frame` first.
   *
   * @param start from `headStart`
   * @returns undefined when it is not an `events` frame
   */
  read(frame: string, start: number): SharedFrame | undefined
  /** Hands over what was timed of a frame so far: before it is timed at another millisecond. */
  handOver(frame: SharedFrame): void
  /** Hands over what was timed so far. */
  flush(): void
}

/** Frames that are remembered: a few for each API instance whose frames arrive in turn. */
const REMEMBERED = 8

const NO_BODY: Body = { ...emptyMessages(), text: '', count: 0, isWhole: false, sentAt: [], flaws: 0 }

/**
 * @param prefix of this run's event ids, as for `readMessages`
 * @param timed takes what was timed: a frame that `frame.sockets` sockets handled at `frame.at`
 */
export function sharedFrames(prefix: string, timed: (frame: SharedFrame) => void): SharedFrames {
  const slots = Array.from(
    { length: REMEMBERED },
    (): SharedFrame => ({ ...emptyHead(), frame: '', body: NO_BODY, at: 0, sockets: 0 }),
  )
  let oldest = 0

  const handOver = (slot: SharedFrame): void => {
    if (slot.sockets > 0) timed(slot)
    slot.sockets = 0
  }

  function read(frame: string, start: number): SharedFrame | undefined {
    for (let i = 0; i < REMEMBERED; i++) {
      if (slots[i]!.frame === frame) return slots[i]
    }
    const slot = slots[oldest]!
    handOver(slot)
    // Whatever is read now, the slot no longer holds what it held.
    slot.frame = ''
    if (!readHead(frame, start, slot)) return undefined
    const twin = slots.find((other) => other !== slot && haveSameBody(other, slot, frame))
    slot.body = twin?.body ?? readBody(frame, slot, prefix)
    slot.frame = frame
    slot.at = 0
    oldest = (oldest + 1) % REMEMBERED
    return slot
  }

  return {
    read,
    handOver,
    flush() {
      for (const slot of slots) handOver(slot)
    },
  }
}

function haveSameBody(known: SharedFrame, head: Head, frame: string): boolean {
  return (
    known.frame !== '' &&
    known.from === head.from &&
    known.to === head.to &&
    known.count === head.count &&
    known.body.text !== '' &&
    frame.endsWith(known.body.text) &&
    // The text may be the end of a longer body; a head has no line break.
    frame.length - known.body.text.length === frame.indexOf('\n')
  )
}

function readBody(frame: string, head: Head, prefix: string): Body {
  const messages = emptyMessages()
  const { offsets, numbers, occurredAt } = messages
  const end = frame.indexOf('\n')
  const text = end < 0 ? '' : frame.slice(end)
  if (readWhole(frame, head, prefix, messages)) {
    return { ...messages, text, count: head.count, isWhole: true, sentAt: occurredAt, flaws: 0 }
  }
  const count = readMessages(frame, head, prefix, messages)
  const sentAt = occurredAt.filter((_, i) => i < count && numbers[i]! >= 0)
  let flaws = count === head.count ? 0 : 1
  let previous = head.from - 1
  for (let i = 0; i < count; i++) {
    const offset = offsets[i]!
    if (offset <= previous || offset > head.to) flaws += 1
    previous = offset
  }
  return { ...messages, text, count, isWhole: false, sentAt, flaws }
}
