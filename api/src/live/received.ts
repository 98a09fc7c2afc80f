import type { LogBatch } from '../redis/message-log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { FanOut, FanOutMetrics, Position } from './fan-out.ts'
import { createFanOut } from './fan-out.ts'
import type { HistoryBudget } from './history-budget.ts'
import type { PublishedBatch } from './kept-batches.ts'
import type { EncodedMessage } from './messages.ts'
import { decodeBody } from './messages.ts'
import { recentMessages } from './recent-messages.ts'

/** What of one tenant's messages has been received: each once and in order, remembered for a while, and passed on. */
export type Received = {
  readonly fanOut: FanOut
  at(): Position
  begin(at: Position): void
  /** Whether a batch leaves no gap after what was received. */
  follows(batch: PublishedBatch): boolean
  /** Takes what is new of a batch that follows. */
  take(batch: LogBatch): void
  /** Goes on from somewhere else, because what is between is lost; the sockets are told. */
  startOver(at: Position): void
  /** The next few messages after an offset; undefined when they are not in memory. */
  after(offset: number): readonly EncodedMessage[] | undefined
  stop(): void
}

export type ReceivedMetrics = FanOutMetrics & Pick<Metrics, 'liveGaps'>

const RECENT_MAX = 4_000

export function createReceived(tickMs: number, metrics: ReceivedMetrics, history: HistoryBudget): Received {
  const fanOut = createFanOut(tickMs, metrics)
  const recent = recentMessages(RECENT_MAX, history)
  let epoch = ''
  let received = 0

  return {
    fanOut,
    at: () => ({ epoch, offset: received }),
    begin: (at) => {
      epoch = at.epoch
      received = at.offset
      fanOut.begin({ epoch, offset: received })
    },
    follows: (batch) => batch.epoch === epoch && batch.from <= received + 1,
    take: (batch) => {
      if (batch.to <= received) return
      const messages = decodeBody(batch.from, batch.body)
      const fresh = batch.from > received ? messages : messages.slice(received + 1 - batch.from)
      received = batch.to
      recent.push(fresh)
      fanOut.push(fresh, received)
    },
    startOver: (at) => {
      metrics.liveGaps.inc({ result: 'reset' })
      recent.clear()
      epoch = at.epoch
      received = at.offset
      fanOut.reset({ epoch, offset: received })
    },
    after: recent.after,
    stop: () => {
      fanOut.stop()
      recent.close()
    },
  }
}
