import type { Pool } from 'pg'
import type { LabelStore } from '../access/tenant-labels.ts'
import { DatabaseUnavailable } from '../errors/catalogue.ts'
import { queryReplicated } from './replicated.ts'

type Db = Pick<Pool, 'query'>

/** It is one row by its key. */
const ANSWERS_WITHIN_MS = 2_000

/** Asks the primary, and the replica when the primary is away. Everything may throw {DatabaseUnavailable}. */
export function labelStore(primary: Pick<Pool, 'query' | 'connect'>, replica: Db | undefined): LabelStore {
  const ask = (db: Db, tenantId: string) => {
    const text = 'select hopwhistle.declared_labels($1) as labels'
    // Known to `pg`, and not to its types.
    const query = { name: 'declared_labels', text, values: [tenantId], query_timeout: ANSWERS_WITHIN_MS }
    return db.query<{ labels: string[] | null }>(query)
  }
  const unavailable = (error: unknown) => Promise.reject(DatabaseUnavailable(error))
  return {
    find: async (tenantId) => {
      const { rows } = await ask(primary, tenantId)
        .catch((error) => (replica === undefined ? Promise.reject(error) : ask(replica, tenantId)))
        .catch(unavailable)
      return rows[0]?.labels ?? []
    },
    declare: async (tenantId, names) => {
      const text = 'call hopwhistle.commit_declared_labels($1, $2)'
      await queryReplicated(primary, { text, values: [tenantId, names] }).catch(unavailable)
    },
  }
}
