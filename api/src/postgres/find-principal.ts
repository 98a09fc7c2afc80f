import type { Scope } from '@hopwhistle/contract/routes.ts'
import { SCOPES } from '@hopwhistle/contract/routes.ts'
import type { Pool } from 'pg'
import type { FindPrincipal } from '../access/authenticator.ts'
import { DatabaseUnavailable } from '../errors/catalogue.ts'

type Row = {
  readonly key_id: string
  readonly tenant_id: string
  readonly scopes: readonly string[]
  readonly tenant_rate: number | null
  readonly key_rate: number | null
  readonly time_zone: string | null
}

/** It is one row by its key; a server that takes longer has vanished without closing the connection. */
const ANSWERS_WITHIN_MS = 2_000

/**
 * Asks the primary, and the replica when the primary is away, so that reports go on without it.
 *
 * @throws {DatabaseUnavailable} neither answers
 */
export function findPrincipal(primary: Pick<Pool, 'query'>, replica: Pick<Pool, 'query'> | undefined): FindPrincipal {
  const ask = (pool: Pick<Pool, 'query'>, keyHash: Buffer) => {
    const text = 'select key_id, tenant_id, scopes, tenant_rate, key_rate, time_zone from hopwhistle.authenticate($1)'
    // Known to `pg`, and not to its types.
    const query = { name: 'authenticate', text, values: [keyHash], query_timeout: ANSWERS_WITHIN_MS }
    return pool.query<Row>(query)
  }
  return async (keyHash) => {
    const { rows } = await ask(primary, keyHash)
      .catch((error) => (replica === undefined ? Promise.reject(error) : ask(replica, keyHash)))
      .catch((error) => Promise.reject(DatabaseUnavailable(error)))
    const row = rows[0]
    if (row === undefined) return undefined
    return {
      keyId: row.key_id,
      tenantId: row.tenant_id,
      scopes: new Set(row.scopes.filter(isScope)),
      ...(row.tenant_rate === null ? {} : { tenantRate: row.tenant_rate }),
      ...(row.key_rate === null ? {} : { keyRate: row.key_rate }),
      ...(row.time_zone === null ? {} : { timeZone: row.time_zone }),
    }
  }
}

function isScope(scope: string): scope is Scope {
  return (SCOPES as readonly string[]).includes(scope)
}
