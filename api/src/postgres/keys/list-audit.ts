import type { ClientBase } from 'pg'

export type AuditEntry = {
  readonly at: Date
  readonly action:
    | 'made'
    | 'rotated'
    | 'ended'
    | 'restored'
    | 'deleted'
    | 'callback made'
    | 'callback ended'
    | 'callback deleted'
  /** Or that of the callback. */
  readonly keyId: string
  readonly tenantId: string
  readonly byWhom: string | null
  readonly byRole: string
  /** Of a key that was made with an end, or was ended: when it does. */
  readonly endsAt: Date | null
  /** The key in whose place it was made. */
  readonly replaces: string | null
}

/** Says in whose name this connection changes keys from here on. */
export async function actAs(db: Pick<ClientBase, 'query'>, byWhom: string): Promise<void> {
  await db.query(`select set_config('hopwhistle.by_whom', $1, false)`, [byWhom])
}

/** What became of the keys, and the callbacks of providers, of one tenant, or of all: the oldest first. */
export async function listAudit(db: Pick<ClientBase, 'query'>, tenantId?: string): Promise<readonly AuditEntry[]> {
  const { rows } = await db.query<AuditEntry>(
    `select at, action, key_id as "keyId", tenant_id as "tenantId", by_whom as "byWhom", by_role as "byRole",
       ends_at as "endsAt", replaces
     from hopwhistle.key_audit
     where $1::uuid is null or tenant_id = $1
     order by id`,
    [tenantId ?? null],
  )
  return rows
}
