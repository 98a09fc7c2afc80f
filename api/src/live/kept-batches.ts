import type { LogBatch } from '../redis/message-log.ts'

export type PublishedBatch = LogBatch & { readonly epoch: string }

/** Published batches that are kept aside until the log has been read up to them. */
export type KeptBatches = {
  /** @returns false when they became too many and all were let go: the log has them as well */
  keep(batch: PublishedBatch): boolean
  takeAll(): readonly PublishedBatch[]
}

const MESSAGES_MAX = 20_000

export function keptBatches(): KeptBatches {
  let kept: PublishedBatch[] = []
  let messages = 0
  const takeAll = () => {
    const all = kept
    kept = []
    messages = 0
    return all
  }
  return {
    keep: (batch) => {
      messages += batch.to - batch.from + 1
      kept.push(batch)
      if (messages <= MESSAGES_MAX) return true
      takeAll()
      return false
    },
    takeAll,
  }
}
