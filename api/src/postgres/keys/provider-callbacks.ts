import type { ClientBase, Pool } from 'pg'
import { DatabaseUnavailable } from '../../errors/catalogue.ts'

/** As for a key: it is one row. */
const ANSWERS_WITHIN_MS = 2_000

export type StoredCallback = {
  readonly id: string
  readonly tenantId: string
  readonly sealedSecret: Buffer
  /** Events a second that its tenant may send; absent: as many as any. */
  readonly tenantRate?: number
}

/**
 * Asks the primary: what is found is only good for writing.
 *
 * @returns what finds a callback by the SHA-256 hash of the id in its URL, or undefined when there is none that works
 * @throws {DatabaseUnavailable}
 */
export function findProviderCallback(primary: Pick<Pool, 'query'>) {
  return async (callbackHash: Buffer, provider: string): Promise<StoredCallback | undefined> => {
    const query = {
      text: 'select id, tenant_id, sealed_secret, tenant_rate from hopwhistle.find_provider_callback($1, $2)',
      values: [callbackHash, provider],
      query_timeout: ANSWERS_WITHIN_MS,
    }
    const { rows } = await primary
      .query<{ id: string; tenant_id: string; sealed_secret: Buffer; tenant_rate: number | null }>(query)
      .catch((error) => Promise.reject(DatabaseUnavailable(error)))
    const row = rows[0]
    if (row === undefined) return undefined
    const { id, tenant_id: tenantId, sealed_secret: sealedSecret, tenant_rate: tenantRate } = row
    return { id, tenantId, sealedSecret, ...(tenantRate === null ? {} : { tenantRate }) }
  }
}

export type NewCallback = {
  readonly id: string
  readonly tenantId: string
  readonly provider: string
  readonly name: string
  readonly callbackHash: Buffer
  readonly sealedSecret: Buffer
}

type Db = Pick<ClientBase, 'query'>

/** @returns false when there is no such tenant */
export async function createProviderCallback(db: Db, made: NewCallback): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into hopwhistle.provider_callbacks (id, tenant_id, provider, name, callback_hash, sealed_secret)
     select $1, id, $3, $4, $5, $6 from hopwhistle.tenants where id = $2`,
    [made.id, made.tenantId, made.provider, made.name, made.callbackHash, made.sealedSecret],
  )
  return rowCount === 1
}

/** Ends a callback now; one that ended before stays as it is. @returns when; undefined when there is none */
export async function endProviderCallback(db: Db, id: string): Promise<Date | undefined> {
  const { rows } = await db.query<{ ended_at: Date }>(
    'update hopwhistle.provider_callbacks set ended_at = coalesce(ended_at, now()) where id = $1 returning ended_at',
    [id],
  )
  return rows[0]?.ended_at
}

export type ListedCallback = {
  readonly id: string
  readonly tenantId: string
  readonly provider: string
  readonly name: string
  readonly madeAt: Date
  readonly endedAt: Date | null
}

export async function listProviderCallbacks(db: Db, tenantId?: string): Promise<readonly ListedCallback[]> {
  const { rows } = await db.query<ListedCallback>(
    `select id, tenant_id as "tenantId", provider, name, made_at as "madeAt", ended_at as "endedAt"
     from hopwhistle.provider_callbacks
     where $1::uuid is null or tenant_id = $1
     order by tenant_id, made_at, id`,
    [tenantId ?? null],
  )
  return rows
}
