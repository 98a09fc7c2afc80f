import { setTimeout as sleep } from 'node:timers/promises'
import type { LogBatch, LogPage, MessageLog } from '../redis/message-log.ts'
import { parsePublished } from '../redis/message-log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { FanOut, FanOutMetrics, Position } from './fan-out.ts'
import { createFanOut } from './fan-out.ts'
import type { EncodedMessage } from './messages.ts'
import { decodeBody } from './messages.ts'
import { recentMessages } from './recent-messages.ts'

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
 *
 * Redis may also lose the last message before a silence, which no later one gives away: a silent hub asks the log.
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

export type HistoryPage = {
  readonly epoch: string
  /** False when what directly follows is gone. */
  readonly complete: boolean
  readonly messages: readonly EncodedMessage[]
  /** How far the messages go. */
  readonly to: number
}

export type HubDependencies = {
  readonly tenantId: string
  readonly log: MessageLog
  readonly tickMs: number
  readonly metrics: FanOutMetrics & Pick<Metrics, 'liveReceived' | 'liveGaps'>
}

const RECENT_MAX = 4_000
const KEPT_MAX = 20_000
const OPEN_WITHIN_MS = 5_000
const REACH_WITHIN_MS = 5_000
const REACH_ASKED_EVERY_MS = 5
const RETRY_FIRST_MS = 50
const RETRY_MAX_MS = 1_000
/** Between two pages of a long gap, so that a reader on a slow line is not flooded past its bound. */
const PAGE_PAUSE_MS = 50
const CHECK_EVERY_MS = 2_000
/** A published batch may be on its way still when the log already has it. */
const ON_ITS_WAY_MS = 250
const DEAF_AFTER = 3

export function openHub({ tenantId, log, tickMs, metrics }: HubDependencies): Hub {
  const fanOut = createFanOut(tickMs, metrics)
  const recent = recentMessages(RECENT_MAX)
  let state: 'opening' | 'live' | 'filling' | 'closed' = 'opening'
  let epoch = ''
  let received = 0
  let lastMessageAt = 0
  let deaf = 0
  let kept: (LogBatch & { readonly epoch: string })[] = []
  let keptMessages = 0
  let filling = false
  let fillAgain = false
  let lookingForGap = false
  let whenOpened: (() => void)[] = []

  function accept(batch: LogBatch): void {
    if (batch.to <= received) return
    const messages = decodeBody(batch.from, batch.body)
    const fresh = batch.from > received ? messages : messages.slice(received + 1 - batch.from)
    received = batch.to
    recent.push(fresh)
    fanOut.push(fresh, received)
  }

  function onMessage(payload: Buffer): void {
    const batch = parsePublished(payload)
    metrics.liveReceived.inc(batch.to - batch.from + 1)
    lastMessageAt = Date.now()
    deaf = 0
    if (state === 'live' && batch.epoch === epoch && batch.from <= received + 1) accept(batch)
    else {
      keep(batch)
      if (state === 'live') void fill('gap')
    }
  }
  /** Keeps a batch until the log has been read up to it. Too many are let go: the log has them as well. */
  function keep(batch: LogBatch & { readonly epoch: string }): void {
    keptMessages += batch.to - batch.from + 1
    kept.push(batch)
    if (keptMessages <= KEPT_MAX) return
    kept = []
    keptMessages = 0
    fillAgain = true
  }

  /** Reads the log until nothing is missing. One at a time; asked for meanwhile, it goes round again. */
  async function fill(why: 'gap' | 'look'): Promise<void> {
    if (state === 'live') state = 'filling'
    if (why === 'gap') lookingForGap = true
    fillAgain = true
    if (filling) return
    filling = true
    let pauseMs = RETRY_FIRST_MS
    while (fillAgain && state !== 'closed') {
      fillAgain = false
      try {
        await readOn()
        pauseMs = RETRY_FIRST_MS
      } catch {
        fillAgain = true
        await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, { ref: false })
        pauseMs = Math.min(RETRY_MAX_MS, pauseMs * 2)
      }
    }
    filling = false
  }

  async function readOn(): Promise<void> {
    if (state === 'opening') begin(await log.read(tenantId))
    for (let filled = false; ; ) {
      const page = await log.read(tenantId, received)
      if (state === 'closed') return
      if (page.epoch !== epoch) {
        await startEpoch(page)
        continue
      }
      if (!page.complete) lose({ epoch, offset: (page.batches[0]?.from ?? page.offset + 1) - 1 })
      else if (page.batches.length > 0) filled = true
      for (const batch of page.batches) accept(batch)
      if (received >= page.offset) {
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
    const batches = kept
    kept = []
    keptMessages = 0
    for (const batch of batches) {
      if (batch.epoch === epoch && batch.from <= received + 1) accept(batch)
      else {
        // Published after the log was read; or of an epoch that is over, which one more look will show.
        if (batch.epoch === epoch) keep(batch)
        lookingForGap = true
        fillAgain = true
        state = 'filling'
      }
    }
  }
  function begin(page: LogPage): void {
    if (state !== 'opening') return
    epoch = page.epoch
    received = page.offset
    state = 'filling'
    fanOut.begin({ epoch, offset: received })
    for (const each of whenOpened) each()
    whenOpened = []
  }
  /** Redis lost what it had. What the new epoch has had so far can still be sent, if it is all there. */
  async function startEpoch(page: LogPage): Promise<void> {
    const fromStart = await log.read(tenantId, 0)
    epoch = fromStart.epoch
    lose({ epoch, offset: fromStart.complete ? 0 : page.offset })
  }
  function lose(at: Pick<LogPage, 'epoch' | 'offset'>): void {
    metrics.liveGaps.inc({ result: 'reset' })
    recent.clear()
    received = at.offset
    fanOut.reset({ epoch: at.epoch, offset: at.offset })
  }

  async function check(): Promise<void> {
    fanOut.settle()
    if (state !== 'live' || Date.now() - lastMessageAt < CHECK_EVERY_MS / 2) return
    const before = received
    const page = await log.read(tenantId)
    if (page.epoch === epoch && page.offset === received) return
    await sleep(ON_ITS_WAY_MS)
    if (state !== 'live' || (page.epoch === epoch && received >= page.offset && page.offset >= before)) return
    deaf += 1
    if (deaf >= DEAF_AFTER) log.renew()
    void fill('gap')
  }
  let checking = setTimeout(next, CHECK_EVERY_MS)
  function next(): void {
    check()
      .catch(() => {})
      .finally(() => {
        if (state !== 'closed') checking = setTimeout(next, CHECK_EVERY_MS * (0.75 + Math.random() / 2))
        checking.unref()
      })
  }
  checking.unref()

  log.listen(tenantId, { message: onMessage, subscribed: () => void fill('gap'), interrupted: () => {} })

  return {
    fanOut,
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
      const isReached = () => epoch === position.epoch && received >= position.offset
      if (isReached()) return true
      const page = await log.read(tenantId)
      if (page.epoch !== position.epoch || page.offset < position.offset) return false
      void fill('look')
      for (const deadline = Date.now() + REACH_WITHIN_MS; !isReached() && Date.now() < deadline; ) {
        await sleep(REACH_ASKED_EVERY_MS)
      }
      return isReached()
    },
    history: async (after) => {
      const known = recent.after(after)
      if (known !== undefined) return { epoch, complete: true, messages: known, to: known.at(-1)!.offset }
      const page = await log.read(tenantId, after)
      const messages = page.batches.flatMap((batch) => decodeBody(batch.from, batch.body))
      return {
        epoch: page.epoch,
        complete: page.complete,
        messages: messages.filter((message) => message.offset > after),
        to: page.batches.at(-1)?.to ?? after,
      }
    },
    close: () => {
      state = 'closed'
      clearTimeout(checking)
      log.unlisten(tenantId)
      fanOut.stop()
      for (const each of whenOpened) each()
    },
  }
}
