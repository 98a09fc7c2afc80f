import type { LogBatch } from '../redis/message-log.ts'
import type { HistoryBudget } from './history-budget.ts'

export type PublishedBatch = LogBatch & { readonly epoch: string }

/** Published batches that are kept aside until the log has been read up to them. */
export type KeptBatches = {
  /** @returns false when they became too many and all were let go: the log has them as well */
  keep(batch: PublishedBatch): boolean
  takeAll(): readonly PublishedBatch[]
  /** Lets them go for good. */
  close(): void
}

const MESSAGES_MAX = 20_000

export function keptBatches(budget: HistoryBudget): KeptBatches {
  let kept: PublishedBatch[] = []
  let messages = 0
  let bytes = 0
  const takeAll = () => {
    const all = kept
    kept = []
    messages = 0
    share.change(-bytes)
    bytes = 0
    return all
  }
  const share = budget.join(takeAll)
  return {
    keep: (batch) => {
      messages += batch.to - batch.from + 1
      kept.push(batch)
      bytes += 2 * batch.body.length
      share.change(2 * batch.body.length)
      if (messages <= MESSAGES_MAX) return kept.length > 0
      takeAll()
      return false
    },
    takeAll,
    close: () => {
      kept = []
      share.leave()
    },
  }
}
