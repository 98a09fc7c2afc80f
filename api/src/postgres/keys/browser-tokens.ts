import { SCOPES, type Scope } from '@hopwhistle/contract/routes.ts'
import type { Pool } from 'pg'
import type { BrowserToken } from '../../access/browser-token.ts'
import { DatabaseUnavailable } from '../../errors/catalogue.ts'
import { queryReplicated } from '../replicated.ts'

type Db = Pick<Pool, 'query'>
/** As for a key: it is one row. */
const ANSWERS_WITHIN_MS = 2_000

export type TokenToKeep = {
  readonly keyId: string
  readonly tokenHash: Buffer
  readonly scopes: readonly Scope[]
  readonly endsAt: Date
  /** Tokens that a key may have. */
  readonly most: number
}

/** @returns false when its key has as many as it may @throws {DatabaseUnavailable} */
export async function keepBrowserToken(db: Pick<Pool, 'connect'>, token: TokenToKeep): Promise<boolean> {
  const { keyId, tokenHash, scopes, endsAt, most } = token
  const { rows } = await queryReplicated<{ made: boolean }>(db, {
    text: 'call hopwhistle.commit_browser_token($1, $2, $3, $4, $5, null)',
    values: [keyId, tokenHash, scopes, endsAt, most],
  }).catch((error) => Promise.reject(DatabaseUnavailable(error)))
  return rows[0]?.made === true
}

/**
 * Asks the primary, and the replica when the primary is away.
 *
 * @returns what finds a token by its SHA-256 hash, or undefined when there is none that works @throws {DatabaseUnavailable}
 */
export function findBrowserToken(primary: Db, replica: Db | undefined) {
  const ask = (db: Db, tokenHash: Buffer) => {
    const text = 'select key_hash, scopes, ends_at from hopwhistle.find_browser_token($1)'
    const query = { text, values: [tokenHash], query_timeout: ANSWERS_WITHIN_MS }
    return db.query<{ key_hash: Buffer; scopes: string[]; ends_at: Date }>(query)
  }
  return async (tokenHash: Buffer): Promise<BrowserToken | undefined> => {
    const { rows } = await ask(primary, tokenHash)
      .catch((error) => (replica === undefined ? Promise.reject(error) : ask(replica, tokenHash)))
      .catch((error) => Promise.reject(DatabaseUnavailable(error)))
    const row = rows[0]
    if (row === undefined) return undefined
    const scopes = new Set(SCOPES.filter((scope) => row.scopes.includes(scope)))
    return { keyHash: row.key_hash, endsAtMs: row.ends_at.getTime(), scopes }
  }
}
