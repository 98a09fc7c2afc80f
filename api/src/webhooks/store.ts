/** What is asked of the database to deliver webhooks. All of it is bounded, and a statement each. */
import type { Pool } from 'pg'
import { COMMIT_HERE } from '../postgres/replicated.ts'
import type { EventRow, Offset } from './message.ts'

type Db = Pick<Pool, 'query'>

/** One attempt, as it is kept for the tenant to see. */
export type RecentAttempt = Offset & {
  readonly at: string
  readonly eventId: string
  readonly attempt: number
  readonly delivered: boolean
  readonly status: number | null
  readonly error: string | null
  readonly ms: number
}

export type Leased = Offset & {
  readonly id: string
  readonly version: number
  readonly tenantId: string
  readonly url: string
  readonly patterns: readonly string[]
  readonly secret: string
  readonly previousSecret: string | null
  readonly previousUntil: string | null
  readonly failingSince: string | null
  readonly failures: number
  readonly retryAt: string | null
  readonly deliveredAt: string | null
  readonly recent: readonly RecentAttempt[]
}

/** An event that waits for another attempt, or behind one of its call that does. */
export type Waiting = Offset & {
  readonly eventId: string
  readonly callId: string
  readonly sequence: number | null
  readonly attempts: number
  readonly firstTriedAt: string | null
  readonly retryAt: string | null
}

export type Report = Offset & {
  readonly failingSince: string | null
  readonly failures: number
  readonly retryAt: string | null
  readonly deliveredAt: string | null
  readonly recent: readonly RecentAttempt[]
  readonly waiting: readonly Waiting[]
  readonly gone: readonly Offset[]
  /** Why it is to be delivered to no more, if so. */
  readonly disable: string | null
}

/** An event in its place; without a row when it is deleted. */
export type ReadEvent = Offset & { readonly sequence: number | null; readonly row: EventRow | undefined }

export type Counts = {
  readonly active: number
  readonly failing: number
  readonly paused: number
  readonly disabled: number
}

export type WebhookStore = ReturnType<typeof createWebhookStore>

/** Every event of a batch is before this place. */
export const LAST_PLACE = 2_147_483_647

const COLUMNS = `e.event_id, e.call_id, e.state, e.occurred_at, e.received_at, e.outcome, e.direction, e.from_number,
  e.to_number, e.corrects,
  case when jsonb_typeof(e.metadata) = 'array' then e.metadata ->> 0 end as labels,
  case when jsonb_typeof(e.metadata) = 'array' then nullif(e.metadata -> 1, 'null')::text else e.metadata::text end as metadata`
/** Row-level security lets the statement see the rows of one tenant: the setting comes first, and lasts no longer. */
const AS_TENANT = `(select set_config('hopwhistle.tenant_ids', '{' || $1::text || '}', true)) as tenant (ids)`

/**
 * One batch more than events: of the first one all events may have been read before, and fewer than were asked for means that
 * there are no more.
 *
 * Plans: webhook_log_pkey, outbox_pkey, and call_events_pkey once for each event that is read.
 */
const READ = `
select found.*
from ${AS_TENANT}
cross join lateral (
  select w.batch_id::float8 as batch, w.place::integer as place, w.sequence, ${COLUMNS}
  from (
    select batch.batch_id, wanted.place, wanted.event_id, wanted.sequence
    from (
      (select l.batch_id, l.event_ids, l.sequences from hopwhistle.webhook_log l
       where l.tenant_id = $1::uuid and l.batch_id between $2 and $4 order by l.batch_id limit $5 + 1)
      union all
      (select o.batch_id, o.event_ids, o.sequences from hopwhistle.outbox o
       where o.tenant_id = $1::uuid and o.batch_id between $2 and $4 order by o.batch_id limit $5 + 1)
      order by batch_id limit $5 + 1
    ) batch
    cross join lateral unnest(batch.event_ids, batch.sequences) with ordinality as wanted (event_id, sequence, place)
    where tenant.ids is not null and (batch.batch_id, wanted.place) > ($2, $3)
    order by batch.batch_id, wanted.place
    limit $5
  ) w
  left join hopwhistle.call_events e on e.tenant_id = $1::uuid and e.event_id = w.event_id
) found
order by batch, place`

const READ_ONE = `
select found.*
from ${AS_TENANT}
cross join lateral (
  select ${COLUMNS} from hopwhistle.call_events e
  where tenant.ids is not null and e.tenant_id = $1::uuid and e.event_id = $2
) found`

type Found = Partial<EventRow> & { readonly batch: number; readonly place: number; readonly sequence: number | null }

export function createWebhookStore(db: Db) {
  return {
    /** Extends leases, and takes up to `atMost` that nobody has. */
    lease: async (lease: string, held: readonly string[], forMs: number, atMost: number) => {
      const { rows } = await db.query<{
        webhook: Leased | Pick<Leased, 'id' | 'version'>
        waiting: readonly Waiting[] | null
      }>('select webhook, waiting from hopwhistle.lease_webhooks($1, $2, $3, $4)', [lease, [...held], forMs, atMost])
      const kept = new Map<string, number>()
      const taken: { readonly webhook: Leased; readonly waiting: readonly Waiting[] }[] = []
      for (const { webhook, waiting } of rows) {
        if ('url' in webhook) taken.push({ webhook, waiting: waiting ?? [] })
        else kept.set(webhook.id, webhook.version)
      }
      return { kept, taken }
    },
    release: async (lease: string, held: readonly string[]): Promise<void> => {
      await db.query(`select ${COMMIT_HERE}, hopwhistle.release_webhooks($1, $2)`, [lease, [...held]])
    },
    counts: async (): Promise<Counts> => {
      const { rows } = await db.query<Counts>(
        'select active, failing, paused, disabled from hopwhistle.count_webhooks()',
      )
      return rows[0] ?? { active: 0, failing: 0, paused: 0, disabled: 0 }
    },
    position: async () => {
      const { rows } = await db.query<{ numbered: number; oldest: number; next: number }>(
        'select numbered::float8, oldest::float8, next::float8 from hopwhistle.outbox_position()',
      )
      return rows[0] ?? { numbered: 0, oldest: 0, next: 0 }
    },
    writers: async () => {
      const { rows } = await db.query<{ numbered: number; writers: readonly string[] }>(
        'select numbered::float8, writers from hopwhistle.outbox_writers()',
      )
      return rows[0] ?? { numbered: 0, writers: [] }
    },
    /** @returns the places, in the list given, of tenants that have something */
    findNews: async (asked: readonly { readonly tenantId: string; readonly from: number }[], upTo: number) => {
      const { rows } = await db.query<{ places: readonly number[] }>(
        'select hopwhistle.find_webhook_news($1, $2, $3) as places',
        [asked.map(({ tenantId }) => tenantId), asked.map(({ from }) => from), upTo],
      )
      return (rows[0]?.places ?? []).map((place) => place - 1)
    },
    /** What a tenant's log has after an event, up to a settled batch: `limit` events at most. */
    read: async (tenantId: string, after: Offset, upTo: number, limit: number): Promise<readonly ReadEvent[]> => {
      const { rows } = await db.query<Found>({
        name: 'read webhook log',
        text: READ,
        values: [tenantId, after.batch, after.place, upTo, limit],
      })
      return rows.map((row) => ({
        batch: row.batch,
        place: row.place,
        sequence: row.sequence,
        row: isThere(row) ? row : undefined,
      }))
    },
    readOne: async (tenantId: string, eventId: string): Promise<EventRow | undefined> => {
      const { rows } = await db.query<EventRow>({
        name: 'read webhook event',
        text: READ_ONE,
        values: [tenantId, eventId],
      })
      return rows[0]
    },
    /** @returns false when another has the lease, or the webhook has changed */
    settle: async (lease: string, id: string, version: number, report: Report): Promise<boolean> => {
      const { rows } = await db.query<{ settled: boolean }>(
        'select hopwhistle.settle_webhook($1, $2, $3, $4) as settled',
        [lease, id, version, JSON.stringify(report)],
      )
      return rows[0]?.settled === true
    },
    /** @returns how many batches it deleted */
    forgetLog: async (keepHours: number, atMost: number): Promise<number> => {
      const { rows } = await db.query<{ forgotten: number }>(
        `select hopwhistle.forget_webhook_log($1 * interval '1 hour', $2) as forgotten`,
        [keepHours, atMost],
      )
      return rows[0]?.forgotten ?? 0
    },
  }
}

const isThere = (row: Partial<EventRow>): row is EventRow => typeof row.event_id === 'string'
