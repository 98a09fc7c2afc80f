/**
 * What happens with each frame: ten thousand times a second, so that every call and every property read counts.
 * Runs inside k6.
 */
import type { DeliveryTally, Subscriber } from '../delivery-tally.ts'
import { messagePrefix } from '../message-ids.ts'
import { isSettled, settle } from '../offset-ledger.ts'
import { type SharedFrame, sharedFrames } from '../shared-frames.ts'
import type { FrameCounts } from './frame-counts.ts'
import type { LiveMeter } from './live-meter.ts'

/** Every tenth offset's latency at a checker also goes to k6's own trend. */
const TREND_EVERY = 10

export type FrameHandler = {
  /**
   * Enters what a subscriber received at `now`.
   *
   * @param start from `headStart`
   * @returns false when it is not an `events` frame
   */
  take(frame: string, start: number, subscriber: Subscriber | undefined, now: number): boolean
  /**
   * The same for a checker, which looks at every message: whose it is, whether it came before, whether the head told
   * the truth.
   *
   * @param readAt when k6 had read it from the network, fractional ms; until `now` it waited in k6
   */
  check(frame: string, start: number, subscriber: Subscriber | undefined, now: number, readAt: number): boolean
  /** Hands what was received and timed so far over to the counts. */
  flush(): void
}

export function frameHandler(
  runId: string,
  tally: DeliveryTally,
  counts: FrameCounts,
  meter: Pick<LiveMeter, 'deliveryTrend'>,
): FrameHandler {
  const { read, handOver, flush } = sharedFrames(messagePrefix(runId), ({ oldestAt, body, at, sockets }) => {
    counts.frames += sockets
    counts.of(oldestAt).latency.addSince(body.sentAt, at, sockets)
  })

  /** Most frames were just read for another socket. */
  let latest: SharedFrame | undefined

  function take(text: string, start: number, subscriber: Subscriber | undefined, now: number): boolean {
    let frame = latest
    if (frame === undefined || frame.frame !== text) {
      frame = read(text, start)
      if (frame === undefined) return false
      latest = frame
    }
    if (subscriber !== undefined && frame.from === subscriber.last + 1) {
      subscriber.last = frame.to
      subscriber.received += frame.count
      if (frame.at !== now) {
        handOver(frame)
        frame.at = now
      }
      frame.sockets += 1
    } else outOfTurn(frame, subscriber, now)
    return true
  }

  /** Only what this subscriber had not received before is timed. */
  function outOfTurn(
    { from, to, count, oldestAt, body }: SharedFrame,
    subscriber: Subscriber | undefined,
    now: number,
  ) {
    counts.frames += 1
    if (subscriber === undefined) return
    for (let i = 0; i < body.count; i++) {
      if (body.numbers[i]! < 0 || isSettled(subscriber, body.offsets[i]!)) continue
      counts.of(oldestAt).latency.add(now - body.occurredAt[i]!, 1)
    }
    settle(subscriber, from, to, count)
  }

  function checkMessages({ from, oldestAt, body }: SharedFrame, subscriber: Subscriber, now: number): void {
    const { offsets, numbers, ids, occurredAt, count, isWhole, flaws } = body
    const isPeak = counts.of(oldestAt).phase === 'peak'
    counts.malformed += flaws
    let i = 0
    if (isWhole && from === subscriber.last + 1) {
      // All of its offsets are new: most often the messages are as well.
      i = tally.checkedNew(subscriber, numbers, count)
      if (isPeak) {
        for (let at = (TREND_EVERY - (from % TREND_EVERY)) % TREND_EVERY; at < i; at += TREND_EVERY) {
          meter.deliveryTrend.add(now - occurredAt[at]!)
        }
      }
    }
    for (; i < count; i++) {
      const offset = offsets[i]!
      if (offset <= subscriber.last && isSettled(subscriber, offset)) continue
      const isOurs = tally.checked(subscriber, offset, numbers[i]!, ids[i]!)
      if (isOurs && isPeak && offset % TREND_EVERY === 0) meter.deliveryTrend.add(now - occurredAt[i]!)
    }
  }

  return {
    take,
    check(text, start, subscriber, now, readAt) {
      const frame = read(text, start)
      if (frame !== undefined && subscriber !== undefined) {
        checkMessages(frame, subscriber, now)
        counts.of(frame.oldestAt).lag.add(Math.floor(now - readAt), 1)
      }
      return take(text, start, subscriber, now)
    },
    flush,
  }
}
