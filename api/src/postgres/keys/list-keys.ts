import type { ClientBase } from 'pg'

export type ListedKey = {
  readonly id: string
  readonly tenantId: string
  readonly tenantName: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly createdAt: Date
  /** In the future while it is being replaced. */
  readonly revokedAt: Date | null
  /** Events a second; null: as many as its tenant. */
  readonly rate: number | null
}

/** Every key of one tenant, or of all: the oldest first. What is kept of a key itself, its hash, is not among it. */
export async function listKeys(db: Pick<ClientBase, 'query'>, tenantId?: string): Promise<readonly ListedKey[]> {
  const { rows } = await db.query<ListedKey>(
    `select k.id, k.tenant_id as "tenantId", t.name as "tenantName", k.name, k.scopes, k.created_at as "createdAt",
       k.revoked_at as "revokedAt", k.events_per_second as rate
     from hopwhistle.api_keys k
     join hopwhistle.tenants t on t.id = k.tenant_id
     where $1::uuid is null or k.tenant_id = $1
     order by t.name, k.tenant_id, k.created_at, k.id`,
    [tenantId ?? null],
  )
  return rows
}
