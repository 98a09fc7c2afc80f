import type { Pool } from 'pg'
import { COMMIT_HERE } from '../postgres/replicated.ts'
import type { Log } from '../telemetry/log.ts'
import { createTicker } from '../timing/ticker.ts'
import type { PublishedBatch } from './commit-batch.ts'
import type { CommittedBatch, PublishBatch } from './live-messages.ts'

export type Outbox = {
  /** Publishes a committed batch. Order is kept: batches leave in the order of the calls. */
  publish(batch: CommittedBatch): void
  /** Outbox rows that can be deleted, if there are so many; the caller deletes them, or puts them back. */
  takePublished(atLeast?: number): readonly PublishedBatch[]
  putBack(published: readonly PublishedBatch[]): void
  /** Resolves when every publish has come to an end and every row that can go is gone, or `withinMs` are over. */
  drain(withinMs: number): Promise<void>
}

const TIDY_MS = 500

/**
 * Publishes what was committed, and lets go of the outbox row when that is done: with a later batch, which costs
 * nothing, or on a timer when none comes. A publish that fails leaves its row to the sweeper of any instance.
 */
export function createOutbox(upkeep: Pick<Pool, 'query'>, publishBatch: PublishBatch, log: Log): Outbox {
  let published: PublishedBatch[] = []
  const publishing = new Set<Promise<void>>()

  async function tidy(): Promise<void> {
    const batch = takePublished()
    if (batch.length === 0) return
    try {
      await upkeep.query({
        name: 'forget_published',
        text: `select ${COMMIT_HERE}, hopwhistle.forget_published($1)`,
        values: [batch.map((b) => b.batchId)],
      })
    } catch (error) {
      putBack(batch)
      log.debug({ err: error }, 'published batches stay in the outbox for now')
    }
  }
  function takePublished(atLeast = 1): readonly PublishedBatch[] {
    if (published.length < atLeast) return []
    const batch = published
    published = []
    return batch
  }
  function putBack(batch: readonly PublishedBatch[]): void {
    published = [...batch, ...published]
    ticker.wake()
  }
  /** One after the other, and waited for at the end: what one of them has taken is deleted only once it is over. */
  let tidying = Promise.resolve()
  const tidyNext = (): Promise<void> => {
    tidying = tidying.then(tidy)
    return tidying
  }
  const ticker = createTicker(TIDY_MS, () => {
    void tidyNext()
    return published.length > 0
  })

  return {
    publish: (batch) => {
      const done = publishBatch(batch)
        .then(() => {
          published.push({ batchId: batch.batchId, tenantId: batch.tenantId })
          ticker.wake()
        })
        .catch((error: unknown) =>
          log.warn({ err: error, batchId: batch.batchId }, 'not published; left to the sweeper'),
        )
        .finally(() => publishing.delete(done))
      publishing.add(done)
    },
    takePublished,
    putBack,
    drain: async (withinMs) => {
      ticker.stop()
      const deadline = new Promise<void>((resolve) => setTimeout(resolve, withinMs).unref())
      await Promise.race([Promise.all(publishing), deadline])
      await tidyNext()
    },
  }
}
