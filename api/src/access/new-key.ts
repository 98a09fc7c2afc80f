import { hash, randomBytes } from 'node:crypto'

/** Begins every key, so that a person, or a scanner for secrets, knows one when it lies about. */
const PREFIX = 'hwk_'
const RANDOM_BYTES = 32

export type NewKey = {
  /** Shown once, and kept nowhere. */
  readonly key: string
  /** SHA-256: with 256 random bits behind it, a slow hash would add nothing. */
  readonly keyHash: Buffer
}

export function newKey(): NewKey {
  const key = PREFIX + randomBytes(RANDOM_BYTES).toString('base64url')
  return { key, keyHash: hash('sha256', key, 'buffer') }
}
