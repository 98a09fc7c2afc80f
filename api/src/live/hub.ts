import { setTimeout as sleep } from 'node:timers/promises'
import type { LogPage, MessageLog } from '../redis/message-log.ts'
import { parsePublished } from '../redis/message-log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { repeat, UNTIL_ASKED } from '../timing/repeat.ts'
import type { FanOut, Position } from './fan-out.ts'
import type { HistoryPage } from './history.ts'
import { historyAfter } from './history.ts'
import type { HistoryBudget } from './history-budget.ts'
import type { PublishedBatch } from './kept-batches.ts'
import { keptBatches } from './kept-batches.ts'
import type { ReceivedMetrics } from './received.ts'
import { createReceived } from './received.ts'
import { startSilenceCheck } from './silence-check.ts'

/**
 * One tenant's messages on this instance: received once, in order and without a gap, for all its sockets.
 *
 * opening ──where the log is──▶ live ──gap, silence or a new connection──▶ filling ──caught up──▶ live
 *                                 └──────────────── close() ─────────────────┴──▶ closed
 *
 * opening  the channel is being subscribed; sockets wait
 * live     a published batch that follows the last one is passed on; one that does not is a gap
 * filling  published batches are kept aside while the log is read on; then they follow, those already read left out.
 *          What the log no longer has is lost, and said to be: `reset`. Redis away: filling lasts until it is back
 * closed   unsubscribed
 */
export type Hub = {
  readonly fanOut: FanOut
  /** Resolves when the hub is open: true; or false when that took too long. */
  opened(): Promise<boolean>
  /**
   * Resolves when everything up to a position has been received: true; or false when there is no such position. A
   * client may have been told more by another instance, a moment ago, than this one knows.
   * @throws when Redis does not answer
   */
  reach(position: Position): Promise<boolean>
  /** What follows an offset, from memory or from the log. @throws when Redis does not answer */
  history(after: number): Promise<HistoryPage>
  close(): void
}

export type HubDependencies = {
  readonly tenantId: string
  readonly log: MessageLog
  readonly tickMs: number
  readonly metrics: ReceivedMetrics & Pick<Metrics, 'liveReceived'>
  /** What all hubs together may keep. */
  readonly budget: HistoryBudget
}

const OPEN_WITHIN_MS = 5_000
const REACH_WITHIN_MS = 5_000
const REACH_ASKED_EVERY_MS = 5
const RETRY_FIRST_MS = 50
const RETRY_MAX_MS = 1_000
/** Between two pages of a long gap, so that a reader on a slow line is not flooded past its bound. */
const PAGE_PAUSE_MS = 50

export function openHub({ tenantId, log, tickMs, metrics, budget }: HubDependencies): Hub {
  const received = createReceived(tickMs, metrics, budget)
  const kept = keptBatches(budget)
  const reading = repeat(readOrRetry, UNTIL_ASKED)
  let retryMs = RETRY_FIRST_MS
  /** Something that came while the log was read has to be read as well. */
  let hasMore = false
  let state: 'opening' | 'live' | 'filling' | 'closed' = 'opening'
  let lookingForGap = false
  let whenOpened: (() => void)[] = []

  function onMessage(payload: Buffer): void {
    const batch = parsePublished(payload)
    metrics.liveReceived.inc(batch.to - batch.from + 1)
    silence.heard()
    if (state === 'live' && received.follows(batch)) received.take(batch)
    else {
      keep(batch)
      if (state === 'live') fill('gap')
    }
  }
  function keep(batch: PublishedBatch): void {
    if (!kept.keep(batch)) hasMore = true
  }

  /** Reads the log until nothing is missing. */
  function fill(why: 'gap' | 'look'): void {
    if (state === 'live') state = 'filling'
    if (why === 'gap') lookingForGap = true
    void reading.now()
  }

  async function readOrRetry(): Promise<number> {
    hasMore = false
    try {
      await readOn()
      retryMs = RETRY_FIRST_MS
      return hasMore ? 0 : UNTIL_ASKED
    } catch {
      const pauseMs = retryMs * (0.5 + Math.random() / 2)
      retryMs = Math.min(RETRY_MAX_MS, retryMs * 2)
      return pauseMs
    }
  }

  async function readOn(): Promise<void> {
    if (state === 'opening') begin(await log.read(tenantId))
    for (let filled = false; ; ) {
      const { epoch, offset } = received.at()
      const page = await log.read(tenantId, offset)
      if (state === 'closed') return
      if (page.epoch !== epoch) {
        await startEpoch(page)
        continue
      }
      if (!page.complete) received.startOver({ epoch, offset: (page.batches[0]?.from ?? page.offset + 1) - 1 })
      else if (page.batches.length > 0) filled = true
      for (const batch of page.batches) received.take(batch)
      if (received.at().offset >= page.offset) {
        if (filled && lookingForGap) metrics.liveGaps.inc({ result: 'filled' })
        lookingForGap = false
        return takeKept()
      }
      await sleep(PAGE_PAUSE_MS)
    }
  }
  function takeKept(): void {
    if (state === 'closed') return
    state = 'live'
    for (const batch of kept.takeAll()) {
      if (received.follows(batch)) received.take(batch)
      else {
        // Published after the log was read; or of an epoch that is over, which one more look will show.
        if (batch.epoch === received.at().epoch) keep(batch)
        lookingForGap = true
        hasMore = true
        state = 'filling'
      }
    }
  }
  function begin(page: LogPage): void {
    if (state !== 'opening') return
    state = 'filling'
    received.begin(page)
    for (const each of whenOpened) each()
    whenOpened = []
  }
  /** Redis lost what it had. What the new epoch has had so far can still be sent, if it is all there. */
  async function startEpoch(page: LogPage): Promise<void> {
    const fromStart = await log.read(tenantId, 0)
    received.startOver({ epoch: fromStart.epoch, offset: fromStart.complete ? 0 : page.offset })
  }

  const silence = startSilenceCheck({
    tenantId,
    log,
    received,
    isLive: () => state === 'live',
    onMissed: () => fill('gap'),
  })
  log.listen(tenantId, { message: onMessage, subscribed: () => fill('gap'), interrupted: () => {} })

  return {
    fanOut: received.fanOut,
    opened: async () => {
      if (state === 'opening') {
        await Promise.race([
          new Promise<void>((resolve) => whenOpened.push(resolve)),
          sleep(OPEN_WITHIN_MS, undefined, { ref: false }),
        ])
      }
      return (state as string) !== 'opening' && (state as string) !== 'closed'
    },
    reach: async (position) => {
      const isReached = () => {
        const { epoch, offset } = received.at()
        return epoch === position.epoch && offset >= position.offset
      }
      if (isReached()) return true
      const page = await log.read(tenantId)
      if (page.epoch !== position.epoch || page.offset < position.offset) return false
      fill('look')
      for (const deadline = Date.now() + REACH_WITHIN_MS; !isReached() && Date.now() < deadline; ) {
        await sleep(REACH_ASKED_EVERY_MS)
      }
      return isReached()
    },
    history: (after) => historyAfter(after, { tenantId, log, received }),
    close: () => {
      state = 'closed'
      void reading.stop()
      silence.stop()
      log.unlisten(tenantId)
      received.stop()
      kept.close()
      for (const each of whenOpened) each()
    },
  }
}
