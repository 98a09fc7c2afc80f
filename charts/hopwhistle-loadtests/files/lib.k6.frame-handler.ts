/** What happens with each frame: ten thousand times a second, so that every call counts. Runs inside k6. */
import type { DeliveryTally, Subscriber } from './lib.delivery-tally.ts'
import { messagePrefix } from './lib.message-ids.ts'
import { isSettled, settle } from './lib.offset-ledger.ts'
import { type SharedFrame, sharedFrames } from './lib.shared-frames.ts'
import type { FrameCounts } from './lib.k6.frame-counts.ts'
import type { LiveMeter } from './lib.k6.live-meter.ts'

/** Every tenth offset's latency at a checker also goes to k6's own trend. */
const TREND_EVERY = 10

export type FrameHandler = {
  /** @returns undefined when it is not an `events` frame */
  read(frame: string, start: number): SharedFrame | undefined
  /**
   * Enters a frame that a subscriber received at `now`.
   *
   * @param readAt when k6 had read it from the network, fractional ms; until `now` it waited in k6
   */
  enter(frame: SharedFrame, subscriber: Subscriber, now: number, readAt: number | undefined): void
  flush(): void
}

export function frameHandler(runId: string, tally: DeliveryTally, counts: FrameCounts, meter: LiveMeter): FrameHandler {
  const shared = sharedFrames(messagePrefix(runId), ({ head, messages, count, at }, sockets) => {
    counts.of(head.oldestAt).latency.addSince(messages.occurredAt, messages.numbers, count, at, sockets)
  })

  /** Looks at every message: whose it is, whether it came before, whether the head told the truth. */
  function check({ head, messages, count }: SharedFrame, subscriber: Subscriber, now: number): void {
    const { offsets, numbers, ids, occurredAt } = messages
    const isPeak = counts.of(head.oldestAt).phase === 'peak'
    if (count !== head.count) counts.malformed += 1
    let previous = head.from - 1
    for (let i = 0; i < count; i++) {
      const offset = offsets[i]!
      if (offset <= previous || offset > head.to) counts.malformed += 1
      previous = offset
      if (offset <= subscriber.last && isSettled(subscriber, offset)) continue
      const isOurs = tally.checked(subscriber, offset, numbers[i]!, ids[i]!)
      if (isOurs && isPeak && offset % TREND_EVERY === 0) meter.deliveryTrend.add(now - occurredAt[i]!)
    }
  }

  /** A frame out of turn: only what this subscriber had not received before is timed. */
  function timeFresh({ head, messages, count }: SharedFrame, subscriber: Subscriber, now: number): void {
    for (let i = 0; i < count; i++) {
      if (messages.numbers[i]! < 0 || isSettled(subscriber, messages.offsets[i]!)) continue
      counts.of(head.oldestAt).latency.add(now - messages.occurredAt[i]!, 1)
    }
  }

  return {
    read: shared.read,
    enter(frame, subscriber, now, readAt) {
      const { from, to, count } = frame.head
      if (subscriber.check !== undefined) {
        check(frame, subscriber, now)
        if (readAt !== undefined) counts.of(frame.head.oldestAt).lag.add(Math.floor(now - readAt), 1)
      }
      if (from === subscriber.last + 1) {
        shared.time(frame, now)
        subscriber.last = to
        subscriber.received += count
      } else {
        timeFresh(frame, subscriber, now)
        settle(subscriber, from, to, count)
      }
    },
    flush: shared.flush,
  }
}
