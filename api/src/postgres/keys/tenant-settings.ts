import type { ClientBase } from 'pg'

type Db = Pick<ClientBase, 'query'>

/** Columns of hopwhistle.tenants. */
type Setting = 'events_per_second' | 'stale_after_hours' | 'time_zone'

/** @param value null: the default @throws {Error} there is no such tenant */
export async function setTenant(db: Db, id: string, setting: Setting, value: number | string | null): Promise<void> {
  const { rowCount } = await db.query(`update hopwhistle.tenants set ${setting} = $2 where id = $1`, [id, value])
  if (rowCount === 0) throw new Error(`there is no tenant ${id}`)
}

export type TenantAuditEntry = {
  readonly at: Date
  readonly tenantId: string
  /** The column of hopwhistle.tenants. */
  readonly setting: string
  /** null: the default. */
  readonly was: string | null
  readonly became: string | null
  readonly byWhom: string | null
  readonly byRole: string
}

/** Which settings of one tenant, or of all, were changed: the oldest first. */
export async function listTenantAudit(db: Db, tenantId?: string): Promise<readonly TenantAuditEntry[]> {
  const { rows } = await db.query<TenantAuditEntry>(
    `select at, tenant_id as "tenantId", setting, was, became, by_whom as "byWhom", by_role as "byRole"
     from hopwhistle.tenant_audit
     where $1::uuid is null or tenant_id = $1
     order by id`,
    [tenantId ?? null],
  )
  return rows
}
