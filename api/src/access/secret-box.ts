/**
 * Secrets that must be known again, such as those by which providers sign: in the database they are encrypted, with a key that
 * only the environment has. A copy of the database, a backup or a replica shows none of them.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

export type SecretBox = {
  /** @param of what the secret belongs to: sealed, it opens nowhere else */
  seal(secret: string, of: string): Buffer
  /** @returns undefined when none of the keys opens it */
  open(sealed: Buffer, of: string): string | undefined
}

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** @returns undefined for what is not one key or several, separated by commas */
export function parseSecretKeys(given: string): readonly Buffer[] | undefined {
  const keys = given.split(',').map((one) => Buffer.from(one.trim(), 'base64'))
  return keys.every((key) => key.length === KEY_BYTES) ? keys : undefined
}

/** @param keys the first seals, each opens */
export function createSecretBox(keys: readonly Buffer[]): SecretBox {
  return {
    seal: (secret, of) => {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, keys[0] as Buffer, nonce).setAAD(Buffer.from(of))
      return Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()])
    },
    open: (sealed, of) => {
      for (const key of keys) {
        const opened = openWith(key, sealed, of)
        if (opened !== undefined) return opened
      }
      return undefined
    },
  }
}

function openWith(key: Buffer, sealed: Buffer, of: string): string | undefined {
  try {
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(of)).setAuthTag(sealed.subarray(-TAG_BYTES))
    return decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
}
