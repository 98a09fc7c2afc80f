import type { ClientBase } from 'pg'
import type { TableEvidence } from './server-evidence.ts'

/** What was written to each of the platform's tables since the statistics began; partitions count with their table. */
export async function readTables(db: Pick<ClientBase, 'query'>): Promise<readonly TableEvidence[]> {
  const { rows } = await db.query<Record<'name' | 'inserts' | 'updates' | 'hot' | 'deletes', string>>(
    `select t.relname as name, sum(s.n_tup_ins) as inserts, sum(s.n_tup_upd) as updates, sum(s.n_tup_hot_upd) as hot,
       sum(s.n_tup_del) as deletes
     from pg_stat_user_tables s
     join pg_class t on t.oid = coalesce(pg_partition_root(s.relid), s.relid)
     group by t.oid, t.relname`,
  )
  return rows.map(({ name, inserts, updates, hot, deletes }) => ({
    name,
    inserts: Number(inserts),
    updates: Number(updates),
    hotUpdates: Number(hot),
    deletes: Number(deletes),
  }))
}

/** What each table's counts grew by, the most written first; tables that nobody wrote to are left out. */
export function tablesGrowth(
  later: readonly TableEvidence[],
  earlier: readonly TableEvidence[],
): readonly TableEvidence[] {
  const before = new Map(earlier.map((table) => [table.name, table]))
  return later
    .map((table): TableEvidence => {
      const was = before.get(table.name)
      return {
        name: table.name,
        inserts: table.inserts - (was?.inserts ?? 0),
        updates: table.updates - (was?.updates ?? 0),
        hotUpdates: table.hotUpdates - (was?.hotUpdates ?? 0),
        deletes: table.deletes - (was?.deletes ?? 0),
      }
    })
    .filter((table) => written(table) > 0)
    .sort((a, b) => written(b) - written(a))
}

const written = ({ inserts, updates, deletes }: TableEvidence): number => inserts + updates + deletes
