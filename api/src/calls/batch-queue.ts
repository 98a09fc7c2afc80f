/**
 * Gathers items into batches and writes a few batches at a time.
 *
 *   open ──drain()──▶ draining ──last write──▶ closed
 *
 *   open      accepts items; past `max` it accepts none
 *   draining  accepts none, writes those it has, without waiting for company
 *   closed    everything accepted has been written or refused
 *
 * When a batch leaves: at once while nothing is being written, so that an idle server adds no latency; when it is
 * full; else, with fewer than `inFlightMax` before it, when its first item has waited `waitMs` beside one write, twice that
 * beside two, four times that beside three. So one slow write does not hold up everyone, and a busy server makes few
 * large batches rather than many small ones: what arrives while a write is under way leaves together.
 */
export type BatchQueueSettings = {
  /** Items that are waiting or being written. */
  readonly max: number
  readonly batchMax: number
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

/** @param write settles every item itself, and never rejects */
export function createBatchQueue<T>(
  settings: BatchQueueSettings,
  write: (batch: readonly T[]) => Promise<void>,
): BatchQueue<T> {
  const { max, batchMax, waitMs, inFlightMax } = settings
  let state: 'open' | 'draining' | 'closed' = 'open'
  let waiting: T[] = []
  let firstAt = 0
  let beingWritten = 0
  let inFlight = 0
  let soon = false
  let timer: NodeJS.Timeout | undefined
  let closed = () => {}
  const whenClosed = new Promise<void>((resolve) => {
    closed = resolve
  })

  function leave(): void {
    const batch = waiting.length <= batchMax ? waiting : waiting.slice(0, batchMax)
    waiting = waiting.length <= batchMax ? [] : waiting.slice(batchMax)
    firstAt = performance.now()
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
      const leftMs = waitMs * 2 ** (inFlight - 1) - (performance.now() - firstAt)
      if (inFlight === 0 || waiting.length >= batchMax || leftMs <= 0 || state === 'draining') leave()
      else {
        timer = setTimeout(look, leftMs)
        return
      }
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
      if (waiting.length === 0) firstAt = performance.now()
      waiting.push(item)
      if (inFlight === 0 || waiting.length >= batchMax || (timer === undefined && inFlight < inFlightMax)) lookSoon()
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
