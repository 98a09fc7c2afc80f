/**
 * Gathers items into batches and writes a few batches at a time.
 *
 *   open ──drain()──▶ draining ──last write──▶ closed
 *
 *   open      accepts items; past `max` it accepts none
 *   draining  accepts none, writes those it has, without waiting for company
 *   closed    everything accepted has been written or refused
 *
 * When a batch leaves: when it is full, when the queue drains, or when both of these hold.
 * - It has company: at least `ENOUGH` items, or its first item has waited `waitMs` (not at all while waiting brings
 *   nobody, see company.ts). A commit of one item costs nearly as much as one of ten.
 * - It keeps its distance: its first item has waited a quarter of `waitMs` beside one write in flight, half of it beside
 *   two, all of it beside three, and there are fewer than `inFlightMax`. So one slow write does not hold up everyone, and
 *   a busy server makes few large batches: what arrives while a write is under way leaves together.
 */
import { createCompany } from './company.ts'

export type BatchQueueSettings = {
  /** Items that are waiting or being written. */
  readonly max: number
  readonly batchMax: number
  /** The longest that an item waits for others while fewer than `inFlightMax` writes are in flight. */
  readonly waitMs: number
  readonly inFlightMax: number
}

export type BatchQueue<T> = {
  /** @returns false when it is full or no longer open: the item was not taken */
  push(item: T): boolean
  /** Items waiting or being written. */
  size(): number
  isOpen(): boolean
  /** Resolves when it is closed. */
  drain(): Promise<void>
}

/** Items among which the cost of a commit is small next to their own. */
const ENOUGH = 8

/** @param write settles every item itself, and never rejects */
export function createBatchQueue<T>(
  settings: BatchQueueSettings,
  write: (batch: readonly T[]) => Promise<void>,
): BatchQueue<T> {
  const { max, batchMax, waitMs, inFlightMax } = settings
  let state: 'open' | 'draining' | 'closed' = 'open'
  let waiting: T[] = []
  let firstAt = 0
  let lastAt = 0
  let beingWritten = 0
  let inFlight = 0
  let soon = false
  let timer: NodeJS.Timeout | undefined
  const company = createCompany(waitMs)
  let closed = () => {}
  const whenClosed = new Promise<void>((resolve) => {
    closed = resolve
  })

  /** Milliseconds until the items that wait may leave, as things stand; 0 or less: now. */
  function leftMs(): number {
    if (waiting.length >= batchMax || state === 'draining') return 0
    const distanceMs = inFlight === 0 ? 0 : waitMs * 2 ** (inFlight - 3)
    const companyMs = waiting.length >= ENOUGH ? 0 : company.patienceMs()
    return Math.max(distanceMs, companyMs) - (performance.now() - firstAt)
  }

  function leave(): void {
    const batch = waiting.length <= batchMax ? waiting : waiting.slice(0, batchMax)
    waiting = waiting.length <= batchMax ? [] : waiting.slice(batchMax)
    const now = performance.now()
    company.left(now - firstAt, lastAt - firstAt)
    firstAt = now
    inFlight += 1
    beingWritten += batch.length
    void write(batch).finally(() => {
      inFlight -= 1
      beingWritten -= batch.length
      lookSoon()
    })
  }

  function look(): void {
    soon = false
    clearTimeout(timer)
    timer = undefined
    while (waiting.length > 0 && inFlight < inFlightMax) {
      const inMs = leftMs()
      if (inMs > 0) {
        timer = setTimeout(look, inMs)
        return
      }
      leave()
    }
    if (state === 'draining' && waiting.length === 0 && inFlight === 0) {
      state = 'closed'
      closed()
    }
  }

  /** Once this turn of the event loop has read what there is to read, so that it leaves together. */
  function lookSoon(): void {
    if (soon) return
    soon = true
    setImmediate(look)
  }

  return {
    push: (item) => {
      if (state !== 'open' || waiting.length + beingWritten >= max) return false
      lastAt = performance.now()
      if (waiting.length === 0) firstAt = lastAt
      waiting.push(item)
      // While a timer runs, only these can make it leave earlier.
      if (timer === undefined || waiting.length === ENOUGH || waiting.length >= batchMax) lookSoon()
      return true
    },
    size: () => waiting.length + beingWritten,
    isOpen: () => state === 'open',
    drain: () => {
      if (state === 'open') {
        state = 'draining'
        look()
      }
      return whenClosed
    },
  }
}
