/** The list of what was erased: it says who asked for what and when, and what to erase again after a restore. */
import type { ClientBase } from 'pg'
import type { Forgotten } from './forget-person.ts'

type Db = Pick<ClientBase, 'query'>

export type ErasureKind = 'number' | 'call' | 'tenant'

export type Erasure = {
  readonly id: string
  readonly kind: ErasureKind
  /** Null: of all tenants. */
  readonly tenantId: string | null
  /** The SHA-256 of salt and number, in its normal form, in hexadecimal, the id of the call, or of the tenant. */
  readonly subject: string
  /** In hexadecimal. */
  readonly salt: string
  readonly askedBy: string
  readonly erasedAt: string
}

export type NewErasure = Pick<Erasure, 'id' | 'kind' | 'tenantId' | 'askedBy'> & { readonly given: string }

/** Written before anything is erased, so that an erasure that is cut off is known as well. */
export async function recordErasure(db: Db, { id, kind, tenantId, askedBy, given }: NewErasure): Promise<void> {
  await db.query(
    `insert into hopwhistle.erasures (id, kind, tenant_id, asked_by, salt, subject)
     select $1, $2, $3, $4, salt,
       case when $2 = 'number' then encode(sha256(salt || convert_to(hopwhistle.normal_number($5), 'UTF8')), 'hex') else $5 end
     from (select sha256(uuid_send(gen_random_uuid())) as salt) s`,
    [id, kind, tenantId, askedBy, given],
  )
}

export async function countErased(db: Db, id: string, { events, calls }: Forgotten): Promise<void> {
  await db.query('update hopwhistle.erasures set events = events + $2, calls = calls + $3 where id = $1', [
    id,
    events,
    calls,
  ])
}

export async function listErasures(db: Db): Promise<readonly Erasure[]> {
  const { rows } = await db.query<Erasure>(
    `select id, kind, tenant_id as "tenantId", subject, encode(salt, 'hex') as salt, asked_by as "askedBy",
       to_char(erased_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "erasedAt"
     from hopwhistle.erasures order by erased_at, id`,
  )
  return rows
}

/** One that a restore has lost is put back; one that is there stays as it is. */
export async function keepErasure(db: Db, erasure: Erasure): Promise<void> {
  const { id, kind, tenantId, subject, salt, askedBy, erasedAt } = erasure
  await db.query(
    `insert into hopwhistle.erasures (id, kind, tenant_id, subject, salt, asked_by, erased_at)
     values ($1, $2, $3, $4, decode($5, 'hex'), $6, $7) on conflict (id) do nothing`,
    [id, kind, tenantId, subject, salt, askedBy, erasedAt],
  )
}

/**
 * The number that an erasure is of, if it is stored: reads every number of every event, and what looks like one in metadata. Older
 * erasures have the hash of a number as it was sent.
 */
export async function findNumber(db: Db, { subject, salt, tenantId }: Erasure): Promise<string | undefined> {
  const { rows } = await db.query<{ number: string }>(
    `with events as materialized (
       select from_number, to_number, metadata from hopwhistle.call_events where $3::uuid is null or tenant_id = $3),
     in_metadata as (
       select distinct match[1] as digits from events, regexp_matches(metadata::text, '([0-9]{4,})', 'g') as match
       union
       select distinct translate(match[1], '-. ()/', '')
       from events, regexp_matches(metadata::text, '([0-9][-. ()/0-9]{2,}[0-9])', 'g') as match)
     select number
     from (
       select from_number as number from events
       union select to_number from events
       union select hopwhistle.normal_number(from_number) from events
       union select hopwhistle.normal_number(to_number) from events
       union select digits from in_metadata
       union select '+' || digits from in_metadata) numbers
     where encode(sha256(decode($2, 'hex') || convert_to(number, 'UTF8')), 'hex') = $1
     limit 1`,
    [subject, salt, tenantId],
  )
  return rows[0]?.number
}
