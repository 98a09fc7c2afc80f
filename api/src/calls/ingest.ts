import { setTimeout as sleep } from 'node:timers/promises'
import type { Taken } from '../access/shares.ts'
import { EventConflict, IngestOverloaded, OverShare, ShuttingDown } from '../errors/catalogue.ts'
import type { Problem } from '../errors/problem.ts'
import type { Postgres } from '../postgres/open-postgres.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createBatchQueue, type Reserved } from './batch-queue.ts'
import type { CallEvent, Receipt } from './call-event.ts'
import type { Committed, ReceivedEvent } from './commit-batch.ts'
import { commitBatch } from './commit-batch.ts'
import { pastFullCalls } from './full-calls.ts'
import type { PublishBatch, UnnumberedMessage } from './live-messages.ts'
import { liveMessage } from './live-messages.ts'
import { createOutbox } from './outbox.ts'
import { startOutboxSweeper } from './outbox-sweeper.ts'
import { createReceiptClock } from './receipt-clock.ts'
import { startRollupFolder } from './rollup-folder.ts'
import { type BatchStore, writeBatch } from './write-batch.ts'

export type IngestSettings = {
  /** Events waiting for their commit. */
  readonly ingestQueue: number
  readonly ingestBatchMax: number
  readonly ingestBatchWaitMs: number
  readonly ingestBatchesInFlight: number
  readonly outboxSweepAfterMs: number
}

export type IngestDependencies = {
  readonly postgres: Pick<Postgres, 'ingest' | 'upkeep'>
  readonly metrics: Metrics
  readonly settings: IngestSettings
  readonly log: Log
  /** Called after each commit, in its order; the sender's answer does not wait for it. */
  readonly onCommitted: PublishBatch
}

/**
 * Takes call events and commits them in groups.
 *
 *   open ──drain()──▶ draining ──last write──▶ closed
 *
 *   open      accepts events; a queue that is full, or has too many of this tenant, refuses at once
 *   draining  refuses new events, finishes those it has
 *   closed    everything accepted is committed, and published or left in the outbox; the pools may go
 */
export type Ingest = {
  /**
   * Resolves once the event is committed.
   *
   * @throws {EventConflict} the event id was stored before with other content
   * @throws {OverShare | IngestOverloaded | ShuttingDown | DatabaseUnavailable} send it again, with the same event id
   * @throws {InvalidRequest} the database cannot store it
   * @throws {CallFull} its call has as many events as a call may have
   */
  submit(tenantId: string, event: CallEvent): Promise<Receipt>
  /** Why it would not take an event of a tenant now, if it would not. */
  refusal(tenantId: string): Problem | undefined
  /**
   * Keeps room for so many events of a tenant until they have been parsed. A tenant that is over its share waits before it is
   * refused: one that sends again at once, whatever Retry-After says, would keep the instance busy with refusals.
   *
   * @throws {OverShare | IngestOverloaded | ShuttingDown}
   */
  reserve(tenantId: string, events: number): Promise<Reserved>
  /** Events accepted and not yet committed. */
  queued(): number
  drain(): Promise<void>
}

type Waiting = ReceivedEvent & {
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (problem: Error) => void
}

/** How long events wait for a database that went away, counted from when it did. */
const PATIENCE_MS = 5_000
const PUBLISH_PATIENCE_MS = 3_000
/** How long a tenant that is over its share waits for room. */
const ROOM_WITHIN_MS = 1_000
/** Fewer outbox rows are left to the outbox's own timer: deleting one takes a tenth of the time of committing an event. */
const WORTH_DELETING = 8

export function createIngest({ postgres, metrics, settings, log, onCommitted }: IngestDependencies): Ingest {
  const receiptClock = createReceiptClock()
  const outbox = createOutbox(postgres.upkeep, onCommitted, log)
  const folder = startRollupFolder({ upkeep: postgres.upkeep, metrics, log })
  const sweeper = startOutboxSweeper({
    upkeep: postgres.upkeep,
    publish: onCommitted,
    olderThanMs: settings.outboxSweepAfterMs,
    metrics,
    log,
  })
  let awaySince: number | undefined

  async function commit(batch: readonly Waiting[], again: boolean): Promise<Committed> {
    const published = outbox.takePublished(WORTH_DELETING)
    const startedAt = performance.now()
    try {
      const committed = await commitBatch(postgres.ingest, batch, published, again)
      awaySince = undefined
      metrics.ingestCommit.observe((performance.now() - startedAt) / 1000)
      metrics.ingestBatchSize.observe(batch.length)
      return committed
    } catch (error) {
      outbox.putBack(published)
      throw error
    }
  }

  function settle(batch: readonly Waiting[], committed: Committed): void {
    const { outcomes, callStates, sequences, added, position } = committed
    const messages = new Map<string, UnnumberedMessage[]>()
    const counts = { applied: 0, late: 0, duplicate: 0, conflict: 0 }
    for (const [i, { tenantId, event, receivedAtUs, resolve, reject }] of batch.entries()) {
      const outcome = outcomes[i] as (typeof outcomes)[number]
      counts[outcome] += 1
      if (outcome === 'conflict') {
        reject(EventConflict(event.eventId))
        continue
      }
      resolve({ outcome, callState: callStates[i] as Receipt['callState'], position })
      if (outcome === 'duplicate' || added[i] !== true) continue
      const message = liveMessage(event, {
        sequence: sequences[i] ?? null,
        receivedAt: Math.floor(receivedAtUs / 1000),
        outcome,
      })
      const ofTenant = messages.get(tenantId)
      if (ofTenant === undefined) messages.set(tenantId, [message])
      else ofTenant.push(message)
    }
    for (const [outcome, count] of Object.entries(counts)) if (count > 0) metrics.ingestEvents.inc({ outcome }, count)
    for (const [tenantId, ofTenant] of messages) {
      outbox.publish({ batchId: committed.batchIds.get(tenantId) as string, tenantId, messages: ofTenant })
    }
    folder.changed()
  }

  function refuse(events: readonly Waiting[], problem: Problem): void {
    metrics.ingestEvents.inc({ outcome: 'refused' }, events.length)
    for (const { reject } of events) reject(problem)
  }

  const store: BatchStore<Waiting> = {
    commit,
    pastFullCalls: (events) => pastFullCalls(postgres.ingest, events),
    mayRepeat: (batch, error, pauseMs) => {
      awaySince ??= performance.now()
      if (performance.now() + pauseMs > awaySince + PATIENCE_MS) return false
      const { code } = error as { code?: string }
      metrics.ingestRetries.inc({ reason: code ?? 'connection' })
      log.warn({ err: error, events: batch.length }, 'writing a batch again')
      return true
    },
  }

  const queue = createBatchQueue<Waiting>(
    {
      max: settings.ingestQueue,
      batchMax: settings.ingestBatchMax,
      waitMs: settings.ingestBatchWaitMs,
      inFlightMax: settings.ingestBatchesInFlight,
    },
    async (batch) => {
      for await (const written of writeBatch(batch, store)) {
        if ('committed' in written) settle(written.events, written.committed)
        else refuse(written.events, written.refused)
      }
    },
  )

  metrics.beforeScrape(() => metrics.ingestQueue.set(queue.size()))

  function refused(why: Exclude<Taken | 'closed', 'taken'>): Problem {
    if (why === 'closed') return ShuttingDown()
    const problem =
      why === 'full' ? IngestOverloaded(settings.ingestQueue) : OverShare('events waiting to be committed')
    metrics.rejected.inc({ reason: problem.code })
    return problem
  }

  return {
    submit: (tenantId, event) =>
      new Promise((resolve, reject) => {
        const taken = queue.push({ tenantId, event, receivedAtUs: receiptClock(), resolve, reject })
        if (taken !== 'taken') reject(refused(taken))
      }),
    refusal: (tenantId) => {
      const taken = queue.ask(tenantId)
      return taken === 'taken' ? undefined : refused(taken)
    },
    reserve: async (tenantId, events) => {
      let reserved = queue.reserve(tenantId, events)
      if (reserved === 'over-share') {
        await sleep(ROOM_WITHIN_MS)
        reserved = queue.reserve(tenantId, events)
      }
      if (typeof reserved === 'string') throw refused(reserved)
      return reserved
    },
    queued: queue.size,
    drain: async () => {
      await queue.drain()
      await Promise.all([folder.stop(), sweeper.stop(), outbox.drain(PUBLISH_PATIENCE_MS)])
    },
  }
}
