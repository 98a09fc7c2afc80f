import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientBase } from 'pg'
import type { Forgotten } from './forget-person.ts'

type Db = Pick<ClientBase, 'query'>

const AT_ONCE = 1_000
/** In the order in which they go: what would make others again goes first. */
const TABLES = [
  'webhooks',
  'outbox',
  'webhook_log',
  'calls',
  'call_events',
  'call_metrics_pending',
  'call_changes',
  'call_metrics_quarterly',
  'call_metrics_hourly',
  'call_metrics_daily',
  'events_aside',
]

/**
 * Deletes a tenant with everything that is stored of it: keys, callbacks, events, calls, rollups. Its keys end first, and what
 * instances still take by them within `keyCacheMs` goes as well.
 *
 * It works in short transactions, and can be run again after any of them.
 *
 * @throws {Error} when there is no such tenant and nothing of it
 */
export async function forgetTenant(db: Db, tenantId: string, keyCacheMs: number): Promise<Forgotten> {
  await db.query('delete from hopwhistle.api_keys where tenant_id = $1', [tenantId])
  await db.query('delete from hopwhistle.provider_callbacks where tenant_id = $1', [tenantId])
  const first = await deleteRows(db, tenantId)
  const { rowCount } = await db.query('select from hopwhistle.tenants where id = $1', [tenantId])
  if (rowCount !== 0) await sleep(keyCacheMs)
  const late = await deleteRows(db, tenantId)
  await db.query('delete from hopwhistle.tenants where id = $1', [tenantId])
  return { events: first.events + late.events, calls: first.calls + late.calls, tenantIds: [tenantId] }
}

async function deleteRows(db: Db, tenantId: string): Promise<{ readonly events: number; readonly calls: number }> {
  const deleted: Record<string, number> = {}
  for (const table of TABLES) {
    for (;;) {
      const { rowCount } = await db.query(
        `with portion as (
           select tableoid, ctid from hopwhistle.${table} where tenant_id = $1 limit ${AT_ONCE} for update skip locked)
         delete from hopwhistle.${table} t using portion p where t.tableoid = p.tableoid and t.ctid = p.ctid`,
        [tenantId],
      )
      deleted[table] = (deleted[table] ?? 0) + (rowCount ?? 0)
      if (rowCount === 0) break
    }
  }
  return { events: deleted.call_events ?? 0, calls: deleted.calls ?? 0 }
}
