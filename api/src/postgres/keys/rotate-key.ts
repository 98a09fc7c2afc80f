import type { ClientBase } from 'pg'

export type RotatedKey = { readonly id: string; readonly tenantId: string; readonly oldEndsAt: Date }

/**
 * Puts a new key beside an old one, for the same tenant, name, scopes and rate, and has the old one end after a while.
 *
 * @returns undefined when there is no such key, or it is revoked or being replaced already
 */
export async function rotateKey(
  db: Pick<ClientBase, 'query'>,
  { oldId, keyHash, overlapHours }: { readonly oldId: string; readonly keyHash: Buffer; readonly overlapHours: number },
): Promise<RotatedKey | undefined> {
  const { rows } = await db.query<RotatedKey>(
    `with old as (
       update hopwhistle.api_keys set revoked_at = now() + $3 * interval '1 hour'
       where id = $1 and revoked_at is null
       returning tenant_id, name, scopes, events_per_second, revoked_at
     )
     insert into hopwhistle.api_keys (tenant_id, name, scopes, events_per_second, key_hash)
     select tenant_id, name, scopes, events_per_second, $2 from old
     returning id, tenant_id as "tenantId", (select revoked_at from old) as "oldEndsAt"`,
    [oldId, keyHash, overlapHours],
  )
  return rows[0]
}
