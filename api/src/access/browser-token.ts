/**
 * Tokens that a key makes for a page: they say which key, for what, and until when, and are signed, so that nothing is kept
 * of them. One is good only while its key is.
 *
 *   hwt_ · base64url of: key's hash 32 bytes · end 4 bytes, Unix seconds · scopes 1 byte · signature
 *
 * The hash is no secret: a key has 256 random bits.
 */
import { SCOPES, type Scope } from '@hopwhistle/contract/routes.ts'

export const TOKEN_PREFIX = 'hwt_'
const PURPOSE = 'browser token'
const HASH_BYTES = 32
const LENGTH = HASH_BYTES + 5

export type BrowserToken = {
  readonly keyHash: Buffer
  readonly endsAtMs: number
  readonly scopes: ReadonlySet<Scope>
}

/** What seals and opens: see postgres/tokens.ts. */
export type Seal = {
  ready(): Promise<void>
  seal(purpose: string, payload: Buffer): string
  open(purpose: string, token: string): Promise<Buffer | 'invalid' | 'outdated'>
}

/** @throws {DatabaseUnavailable} */
export async function sealBrowserToken(seal: Seal, token: BrowserToken): Promise<string> {
  await seal.ready()
  const payload = Buffer.alloc(LENGTH)
  token.keyHash.copy(payload)
  payload.writeUInt32BE(Math.floor(token.endsAtMs / 1000), HASH_BYTES)
  payload.writeUInt8(
    SCOPES.reduce((bits, scope, i) => (token.scopes.has(scope) ? bits | (1 << i) : bits), 0),
    HASH_BYTES + 4,
  )
  return TOKEN_PREFIX + seal.seal(PURPOSE, payload)
}

/** @returns undefined for what was not made here @throws {DatabaseUnavailable} */
export async function openBrowserToken(seal: Seal, token: string): Promise<BrowserToken | undefined> {
  const payload = await seal.open(PURPOSE, token.slice(TOKEN_PREFIX.length))
  if (typeof payload === 'string' || payload.length !== LENGTH) return undefined
  const bits = payload.readUInt8(HASH_BYTES + 4)
  return {
    keyHash: payload.subarray(0, HASH_BYTES),
    endsAtMs: payload.readUInt32BE(HASH_BYTES) * 1000,
    scopes: new Set(SCOPES.filter((_, i) => (bits & (1 << i)) !== 0)),
  }
}
