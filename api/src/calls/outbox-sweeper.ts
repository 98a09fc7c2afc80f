import type { CallState } from '@hopwhistle/contract/calls.ts'
import { CALL_DIRECTIONS, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import type { Pool, PoolClient } from 'pg'
import { COMMIT_HERE } from '../postgres/replicated.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { about, type Repeating, repeat } from '../timing/repeat.ts'
import { withinMs } from '../timing/within-ms.ts'
import type { CommittedBatch, PublishBatch, UnnumberedMessage } from './live-messages.ts'
import { liveMessage } from './live-messages.ts'

export type OutboxSweeperDependencies = {
  readonly upkeep: Pick<Pool, 'connect' | 'query'>
  readonly publish: PublishBatch
  readonly olderThanMs: number
  readonly metrics: Pick<Metrics, 'outboxRepublished' | 'outboxStale' | 'upkeepFailed'>
  readonly log: Log
  /** A publish that takes longer counts as failed. */
  readonly publishWithinMs?: number
}

/** Batches that a sweep knows of at a time: their ids, not their events. */
const KNOWN_MAX = 5_000
/** Batches in one transaction; few, because their rows are locked while they are published. */
const AT_ONCE = 50
/** Batches of one tenant before the next one has its turn. */
const TURN = 10
/** Longer than Redis may take for a command. */
const PUBLISH_WITHIN_MS = 5_000

/**
 * Publishes what was committed and not published within `olderThanMs`: its instance died in between, the answer to its
 * commit was lost, or Redis was away. Runs on every instance; a row that one of them has locked is left alone by
 * the others. Publishing is idempotent by batch id, so a batch that was published after all reaches nobody twice.
 */
export function startOutboxSweeper(deps: OutboxSweeperDependencies): Repeating {
  const { olderThanMs, metrics, log } = deps
  const restMs = () => about(olderThanMs / 3)
  return repeat(async () => {
    try {
      await sweepOutbox(deps)
    } catch (error) {
      metrics.upkeepFailed.inc({ task: 'outbox' })
      log.warn({ err: error }, 'the outbox was not swept; it will be')
    }
    return restMs()
  }, restMs())
}

export type Swept = {
  readonly published: number
  /** Tenants of which something could not be published; what is left of theirs waits for the next sweep. */
  readonly failing: ReadonlySet<string>
}

/**
 * One pass over everything that is stale. Tenants take turns, and each keeps its order. One whose publish fails is left
 * out for the rest of the pass, and delays nobody else.
 *
 * @throws when the database does not answer; what was published before is published
 */
export async function sweepOutbox(deps: OutboxSweeperDependencies): Promise<Swept> {
  const failing = new Set<string>()
  let published = 0
  // Nearly always there is nothing: one statement then, and no transaction.
  let stale = await findStale(deps, '0', failing)
  deps.metrics.outboxStale.set(stale[0]?.age_seconds ?? 0)
  while (stale.length > 0) {
    for (const portion of inTurns(stale)) {
      const due = portion.filter(({ tenant_id }) => !failing.has(tenant_id))
      if (due.length > 0) published += await publishPortion(deps, due, failing)
    }
    stale = await findStale(deps, stale.at(-1)?.batch_id as string, failing)
  }
  if (published > 0) deps.log.info({ batches: published }, 'published batches that had been left in the outbox')
  return { published, failing }
}

type Stale = { readonly batch_id: string; readonly tenant_id: string; readonly age_seconds: number }

async function findStale(
  { upkeep, olderThanMs }: OutboxSweeperDependencies,
  behind: string,
  without: ReadonlySet<string>,
): Promise<readonly Stale[]> {
  const { rows } = await upkeep.query<Stale>(
    `select batch_id, tenant_id, age_seconds
     from hopwhistle.find_stale_outbox($1 * interval '1 millisecond', $2, $3, $4)`,
    [olderThanMs, behind, [...without], KNOWN_MAX],
  )
  return rows
}

/** Portions of `AT_ONCE`, in which each tenant has `TURN` batches at a time. */
function* inTurns(stale: readonly Stale[]): Generator<readonly Stale[]> {
  const rounds: Stale[][] = []
  for (const ofTenant of Map.groupBy(stale, ({ tenant_id }) => tenant_id).values()) {
    for (let round = 0; round * TURN < ofTenant.length; round++) {
      rounds[round] ??= []
      rounds[round]?.push(...ofTenant.slice(round * TURN, (round + 1) * TURN))
    }
  }
  const inOrder = rounds.flat()
  for (let from = 0; from < inOrder.length; from += AT_ONCE) yield inOrder.slice(from, from + AT_ONCE)
}

/** @param failing gets the tenants of which something could not be published */
async function publishPortion(
  deps: OutboxSweeperDependencies,
  portion: readonly Stale[],
  failing: Set<string>,
): Promise<number> {
  const client = await deps.upkeep.connect()
  let broken: Error | undefined
  try {
    await client.query(`begin; select ${COMMIT_HERE}`)
    const batches = await readBatches(client, await lock(client, portion))
    // Handed over in their order, and under way together: one after the other, a Redis that was away for 20 s at 500
    // events a second took as long again to catch up with.
    const published = (await Promise.all(batches.map((batch) => tryPublish(deps, batch, failing)))).flat()
    if (published.length > 0) await client.query('select hopwhistle.forget_published($1)', [published])
    await client.query('commit')
    deps.metrics.outboxRepublished.inc(published.length)
    return published.length
  } catch (error) {
    broken = error as Error
    throw error
  } finally {
    // A connection in the middle of a transaction is not for anyone else.
    client.release(broken)
  }
}

/** @returns its id, if it is published */
async function tryPublish(
  { publish, publishWithinMs = PUBLISH_WITHIN_MS, log }: OutboxSweeperDependencies,
  batch: CommittedBatch,
  failing: Set<string>,
): Promise<readonly string[]> {
  const { batchId, tenantId } = batch
  const fail = (reason: object) => {
    // Once for a tenant and sweep.
    if (!failing.has(tenantId))
      log.warn({ tenantId, batchId, ...reason }, 'left in the outbox; the next sweep tries again')
    failing.add(tenantId)
    return [] as const
  }
  const publishing = publish(batch).then(
    () => [batchId] as const,
    (err: unknown) => fail({ err }),
  )
  const published = await withinMs(publishing, publishWithinMs)
  return published === 'late' ? fail({ withinMs: publishWithinMs }) : published
}

type LockedRow = {
  readonly batch_id: string
  readonly tenant_id: string
  readonly event_ids: readonly string[]
  readonly sequences: readonly number[] | null
}

async function lock(client: PoolClient, portion: readonly Stale[]): Promise<readonly LockedRow[]> {
  const { rows } = await client.query<LockedRow>(
    'select batch_id, tenant_id, event_ids, sequences from hopwhistle.lock_outbox($1)',
    [portion.map(({ batch_id }) => batch_id)],
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

async function readBatches(client: PoolClient, locked: readonly LockedRow[]): Promise<readonly CommittedBatch[]> {
  const rows: EventRow[] = []
  for (const [tenantId, of] of Map.groupBy(locked, ({ tenant_id }) => tenant_id)) {
    rows.push(...(await readEvents(client, tenantId, of)))
  }
  const events = Map.groupBy(rows, ({ batch_id }) => batch_id)
  return locked.map(({ batch_id, tenant_id }) => ({
    batchId: batch_id,
    tenantId: tenant_id,
    messages: (events.get(batch_id) ?? []).map(toMessage),
  }))
}

async function readEvents(
  client: PoolClient,
  tenantId: string,
  of: readonly LockedRow[],
): Promise<readonly EventRow[]> {
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
