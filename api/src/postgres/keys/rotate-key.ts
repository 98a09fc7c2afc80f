import type { ClientBase } from 'pg'

export type RotatedKey = { readonly id: string; readonly tenantId: string; readonly oldEndsAt: Date }

/**
 * Adds a new key for the same tenant, name, scopes, rate and lifetime, and lets the old one end after a while.
 *
 * @returns undefined when there is no such key, or it is revoked or being replaced already
 */
export async function rotateKey(
  db: Pick<ClientBase, 'query'>,
  { oldId, keyHash, overlapHours }: { readonly oldId: string; readonly keyHash: Buffer; readonly overlapHours: number },
): Promise<RotatedKey | undefined> {
  const { rows } = await db.query<RotatedKey>(
    `with old as (
       update hopwhistle.api_keys set revoked_at = least(now() + $3 * interval '1 hour', expires_at)
       where id = $1 and (revoked_at is null or revoked_at = expires_at and expires_at > now())
       returning id, tenant_id, name, scopes, events_per_second, now() + (expires_at - created_at) as next_end, revoked_at
     )
     insert into hopwhistle.api_keys (tenant_id, name, scopes, events_per_second, key_hash, replaces, expires_at, revoked_at)
     select tenant_id, name, scopes, events_per_second, $2, id, next_end, next_end from old
     returning id, tenant_id as "tenantId", (select revoked_at from old) as "oldEndsAt"`,
    [oldId, keyHash, overlapHours],
  )
  return rows[0]
}
