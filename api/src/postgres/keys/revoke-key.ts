import type { ClientBase } from 'pg'

/**
 * Ends a key now. One that ended before stays as it is.
 *
 * @returns when it ended; undefined when there is no such key
 */
export async function revokeKey(db: Pick<ClientBase, 'query'>, id: string): Promise<Date | undefined> {
  const { rows } = await db.query<{ revoked_at: Date }>(
    'update hopwhistle.api_keys set revoked_at = least(revoked_at, now()) where id = $1 returning revoked_at',
    [id],
  )
  return rows[0]?.revoked_at
}
