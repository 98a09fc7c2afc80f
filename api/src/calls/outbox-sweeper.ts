import type { CallState } from '@hopwhistle/contract/calls.ts'
import { CALL_DIRECTIONS, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import type { Pool, PoolClient } from 'pg'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { CommittedBatch, PublishBatch, UnnumberedMessage } from './live-messages.ts'
import { liveMessage } from './live-messages.ts'
import type { Repeating } from './repeat.ts'
import { repeat } from './repeat.ts'

export type OutboxSweeperDependencies = {
  readonly upkeep: Pick<Pool, 'connect' | 'query'>
  readonly publish: PublishBatch
  readonly olderThanMs: number
  readonly metrics: Pick<Metrics, 'outboxRepublished'>
  readonly log: Log
}

/** Batches in one transaction; few, because their rows are locked while they are published. */
const AT_ONCE = 50

/**
 * Publishes what was committed and not published within `olderThanMs`: its instance died in between, the answer to its
 * commit was lost, or Redis was away. Runs on every instance; a row that one of them has locked is left alone by
 * the others. Publishing is idempotent by batch id, so a batch that was published after all reaches nobody twice.
 */
export function startOutboxSweeper(deps: OutboxSweeperDependencies): Repeating {
  const { olderThanMs, log } = deps
  return repeat(
    () => (olderThanMs / 3) * (0.75 + Math.random() / 2),
    async () => {
      try {
        while ((await sweepOutbox(deps)) === AT_ONCE);
      } catch (error) {
        log.warn({ err: error }, 'the outbox was not swept; it will be')
      }
    },
  )
}

/** One transaction's worth of it. @returns how many batches were published */
export async function sweepOutbox(deps: OutboxSweeperDependencies): Promise<number> {
  // Nearly always there is nothing: one statement then, and no transaction. The lock ends with the statement.
  if ((await lockStale(deps.upkeep, deps.olderThanMs, 1)).length === 0) return 0
  const client = await deps.upkeep.connect()
  let failed: Error | undefined
  try {
    await client.query('begin')
    const stale = await lockStale(client, deps.olderThanMs, AT_ONCE)
    const batches = await readBatches(client, stale)
    // Handed over in their order, and under way together: one after the other, a Redis that was away for 20 s at 500
    // events a second took as long again to catch up with.
    await Promise.all(batches.map(deps.publish))
    const published = stale.map(({ batch_id }) => batch_id)
    if (published.length > 0) await client.query('select hopwhistle.forget_published($1)', [published])
    await client.query('commit')
    if (published.length > 0) {
      deps.metrics.outboxRepublished.inc(published.length)
      deps.log.info({ batches: published.length }, 'published batches that had been left in the outbox')
    }
    return published.length
  } catch (error) {
    failed = error as Error
    throw error
  } finally {
    // A connection in the middle of a transaction is not for anyone else.
    client.release(failed)
  }
}

type StaleRow = {
  readonly batch_id: string
  readonly tenant_id: string
  readonly event_ids: readonly string[]
  readonly sequences: readonly number[] | null
}

async function lockStale(db: Pick<Pool, 'query'>, olderThanMs: number, atMost: number): Promise<readonly StaleRow[]> {
  const { rows } = await db.query<StaleRow>(
    `select batch_id, tenant_id, event_ids, sequences from hopwhistle.lock_stale_outbox($1 * interval '1 millisecond', $2)`,
    [olderThanMs, atMost],
  )
  return rows
}

type EventRow = {
  readonly batch_id: string
  readonly event_id: string
  readonly call_id: string
  readonly sequence: number | null
  readonly corrects: true | null
  readonly state: number
  readonly occurred_at: Date
  readonly received_at: Date
  readonly direction: number | null
  readonly from_number: string | null
  readonly to_number: string | null
  readonly outcome: number
}

async function readBatches(client: PoolClient, stale: readonly StaleRow[]): Promise<readonly CommittedBatch[]> {
  const rows: EventRow[] = []
  for (const [tenantId, of] of Map.groupBy(stale, ({ tenant_id }) => tenant_id)) {
    rows.push(...(await readEvents(client, tenantId, of)))
  }
  const events = Map.groupBy(rows, ({ batch_id }) => batch_id)
  return stale.map(({ batch_id, tenant_id }) => ({
    batchId: batch_id,
    tenantId: tenant_id,
    messages: (events.get(batch_id) ?? []).map(toMessage),
  }))
}

async function readEvents(client: PoolClient, tenantId: string, of: readonly StaleRow[]): Promise<readonly EventRow[]> {
  await client.query(`select set_config('hopwhistle.tenant_ids', $1, true)`, [`{${tenantId}}`])
  const { rows } = await client.query<EventRow>(
    `select wanted.batch_id, e.event_id, e.call_id, wanted.sequence, e.corrects, e.state, e.occurred_at, e.received_at, e.direction, e.from_number, e.to_number, e.outcome
     from unnest($2::bigint[], $3::text[], $4::integer[]) with ordinality as wanted (batch_id, event_id, sequence, place)
     join hopwhistle.call_events e on e.tenant_id = $1 and e.event_id = wanted.event_id
     order by wanted.place`,
    [
      tenantId,
      of.flatMap(({ batch_id, event_ids }) => event_ids.map(() => batch_id)),
      of.flatMap(({ event_ids }) => event_ids),
      of.flatMap(({ event_ids, sequences }) => event_ids.map((_, i) => sequences?.[i] ?? null)),
    ],
  )
  return rows
}

function toMessage(row: EventRow): UnnumberedMessage {
  const event = {
    eventId: row.event_id,
    callId: row.call_id,
    state: CALL_STATES[row.state] as CallState,
    occurredAt: row.occurred_at.getTime(),
    direction: row.direction === null ? undefined : CALL_DIRECTIONS[row.direction],
    from: row.from_number ?? undefined,
    to: row.to_number ?? undefined,
    corrects: row.corrects ?? undefined,
    metadata: undefined,
  }
  return liveMessage(event, {
    sequence: row.sequence,
    receivedAt: row.received_at.getTime(),
    outcome: row.outcome === 0 ? 'applied' : 'late',
  })
}
