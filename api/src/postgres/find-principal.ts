import type { Scope } from '@hopwhistle/contract/routes.ts'
import { SCOPES } from '@hopwhistle/contract/routes.ts'
import type { Pool } from 'pg'
import type { FindPrincipal } from '../access/authenticator.ts'
import { DatabaseUnavailable } from '../errors/catalogue.ts'

type Row = { readonly key_id: string; readonly tenant_id: string; readonly scopes: readonly string[] }

/**
 * Asks the primary, and the replica when the primary is away, so that reports go on without it.
 *
 * @throws {DatabaseUnavailable} neither answers
 */
export function findPrincipal(primary: Pick<Pool, 'query'>, replica: Pick<Pool, 'query'> | undefined): FindPrincipal {
  const ask = (pool: Pick<Pool, 'query'>, keyHash: Buffer) =>
    pool.query<Row>({
      name: 'authenticate',
      text: 'select key_id, tenant_id, scopes from hopwhistle.authenticate($1)',
      values: [keyHash],
    })
  return async (keyHash) => {
    const { rows } = await ask(primary, keyHash)
      .catch((error) => (replica === undefined ? Promise.reject(error) : ask(replica, keyHash)))
      .catch((error) => Promise.reject(DatabaseUnavailable(error)))
    const row = rows[0]
    if (row === undefined) return undefined
    return { keyId: row.key_id, tenantId: row.tenant_id, scopes: new Set(row.scopes.filter(isScope)) }
  }
}

function isScope(scope: string): scope is Scope {
  return (SCOPES as readonly string[]).includes(scope)
}
