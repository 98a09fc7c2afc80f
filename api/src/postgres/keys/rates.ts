import type { ClientBase } from 'pg'

type Db = Pick<ClientBase, 'query'>

/** @param rate events a second; undefined: as many as its tenant @returns false when there is no such key */
export async function limitKey(db: Db, id: string, rate: number | undefined): Promise<boolean> {
  const text = 'update hopwhistle.api_keys set events_per_second = $2 where id = $1'
  return (await db.query(text, [id, rate ?? null])).rowCount === 1
}

export type ListedTenant = {
  readonly id: string
  readonly name: string
  readonly createdAt: Date
  /** Events a second; null: as many as TENANT_RATE_PER_SECOND says. */
  readonly rate: number | null
  /** How long its calls are kept; null: as RETENTION_DAYS says. */
  readonly retentionDays: number | null
  /** How long its metrics are kept; null: for ever. */
  readonly rollupRetentionDays: number | null
  /** After how long a call that has not ended is stale; null: as long as it is for all. */
  readonly staleAfterHours: number | null
  /** In which its metrics are when a request names none; null: UTC. */
  readonly timeZone: string | null
}

/** Every tenant, by name. */
export async function listTenants(db: Db): Promise<readonly ListedTenant[]> {
  const { rows } = await db.query<ListedTenant>(
    `select id, name, created_at as "createdAt", events_per_second as rate, retention_days as "retentionDays",
       rollup_retention_days as "rollupRetentionDays", stale_after_hours as "staleAfterHours",
       time_zone as "timeZone"
     from hopwhistle.tenants order by name, id`,
  )
  return rows
}
