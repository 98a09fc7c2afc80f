import type { Scope } from '@hopwhistle/contract/routes.ts'
import type { ClientBase } from 'pg'

export type KeyToCreate = {
  readonly tenantId: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly keyHash: Buffer
  /** Absent: it has no end. */
  readonly expiresInDays?: number | undefined
}

/** @returns the id of the key; undefined when there is no such tenant */
export async function createKey(db: Pick<ClientBase, 'query'>, key: KeyToCreate): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `insert into hopwhistle.api_keys (tenant_id, name, scopes, key_hash, expires_at, revoked_at)
     select id, $2, $3, $4, now() + $5 * interval '1 day', now() + $5 * interval '1 day' from hopwhistle.tenants where id = $1
     returning id`,
    [key.tenantId, key.name, key.scopes, key.keyHash, key.expiresInDays ?? null],
  )
  return rows[0]?.id
}

/** @returns the id of the tenant */
export async function createTenant(db: Pick<ClientBase, 'query'>, name: string): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    'insert into hopwhistle.tenants (id, name) values (gen_random_uuid(), $1) returning id',
    [name],
  )
  return rows[0]!.id
}
