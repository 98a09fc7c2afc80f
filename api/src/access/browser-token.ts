/** Tokens that a key makes for a page: for less than the key may, and for a short while. One works only while its key does. */
import { hash, randomBytes } from 'node:crypto'
import type { Scope } from '@hopwhistle/contract/routes.ts'

export const TOKEN_PREFIX = 'hwt_'
const RANDOM_BYTES = 32

export type BrowserToken = {
  /** Of the key that made it. */
  readonly keyHash: Buffer
  readonly endsAtMs: number
  readonly scopes: ReadonlySet<Scope>
}

export function newBrowserToken(): { readonly token: string; readonly tokenHash: Buffer } {
  const token = TOKEN_PREFIX + randomBytes(RANDOM_BYTES).toString('base64url')
  return { token, tokenHash: hash('sha256', token, 'buffer') }
}
