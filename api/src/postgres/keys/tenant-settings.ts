import type { ClientBase } from 'pg'

type Db = Pick<ClientBase, 'query'>

/** @param hours after so long a call that has not ended is stale; null: the usual time @returns false when there is no such tenant */
export async function setStaleAfter(db: Db, tenantId: string, hours: number | null): Promise<boolean> {
  const text = 'update hopwhistle.tenants set stale_after_hours = $2 where id = $1'
  return (await db.query(text, [tenantId, hours])).rowCount === 1
}

/** @param zone an IANA name; null: UTC @returns false when there is no such tenant */
export async function setTimeZone(db: Db, id: string, zone: string | null): Promise<boolean> {
  const text = 'update hopwhistle.tenants set time_zone = $2 where id = $1'
  return (await db.query(text, [id, zone])).rowCount === 1
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
