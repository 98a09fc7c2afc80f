/**
 * Reads each frame once for all sockets of a VU that receive it.
 *
 * An API instance sends the same bytes to every subscriber of `call.*`, so that most frames have just been read for
 * another socket: comparing costs k6's engine under 1 µs, reading all messages 60 µs. Latencies are counted once for
 * all sockets that handle a frame in the same millisecond. So every delivery is timed exactly, at the cost of a few.
 */
import { emptyHead, emptyMessages, type Head, type Messages, readHead, readMessages } from './lib.live-frame.ts'

export type SharedFrame = {
  frame: string
  readonly head: Head
  readonly messages: Messages
  /** How many messages were read; it should be `head.count`. */
  count: number
  /** Handled at this Unix millisecond … */
  at: number
  /** … for this many sockets that are not handed over yet. */
  sockets: number
}

export type SharedFrames = {
  /** @param start from `headStart` @returns undefined when it is not an `events` frame */
  read(frame: string, start: number): SharedFrame | undefined
  /** Times a frame for one socket. */
  time(frame: SharedFrame, now: number): void
  /** Hands over what was timed so far. */
  flush(): void
}

/** Frames that are remembered: a few for each API instance whose frames arrive in turn. */
const REMEMBERED = 8

/**
 * @param prefix of this run's event ids, as for `readMessages`
 * @param timed takes what was timed: a frame that this many sockets handled at `frame.at`
 */
export function sharedFrames(prefix: string, timed: (frame: SharedFrame, sockets: number) => void): SharedFrames {
  const slots = Array.from(
    { length: REMEMBERED },
    (): SharedFrame => ({ frame: '', head: emptyHead(), messages: emptyMessages(), count: 0, at: 0, sockets: 0 }),
  )
  let latest = 0
  let oldest = 0

  const handOver = (slot: SharedFrame): void => {
    if (slot.sockets > 0) timed(slot, slot.sockets)
    slot.sockets = 0
  }

  return {
    read(frame, start) {
      if (slots[latest]!.frame === frame) return slots[latest]
      for (let i = 0; i < REMEMBERED; i++) {
        if (slots[i]!.frame === frame) {
          latest = i
          return slots[i]
        }
      }
      const slot = slots[oldest]!
      handOver(slot)
      // Whatever is read now, the slot no longer holds what it held.
      slot.frame = ''
      if (!readHead(frame, start, slot.head)) return undefined
      slot.frame = frame
      slot.count = readMessages(frame, slot.head, prefix, slot.messages)
      slot.at = 0
      latest = oldest
      oldest = (oldest + 1) % REMEMBERED
      return slot
    },
    time(slot, now) {
      if (slot.at !== now) {
        handOver(slot)
        slot.at = now
      }
      slot.sockets += 1
    },
    flush() {
      for (const slot of slots) handOver(slot)
    },
  }
}
