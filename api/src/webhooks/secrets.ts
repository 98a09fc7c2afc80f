/**
 * Secrets that sign webhooks. To sign, the platform needs the secret itself, so it is stored encrypted: AES-256-GCM with a key of
 * WEBHOOK_KEYS, which the database never sees. The id of the webhook is authenticated as well, so that a secret moved to
 * another row is refused.
 *
 *   nonce 12 bytes · tag 16 bytes · encrypted secret
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

export type Secrets = {
  /** @returns the text for the receiver, shown once, and what is stored */
  make(webhookId: string): { readonly secret: string; readonly stored: Buffer }
  /** @throws {Error} when no key of WEBHOOK_KEYS fits */
  open(webhookId: string, stored: Buffer): string
}

/** As Standard Webhooks recommends: 24 to 64 bytes. */
const SECRET_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const PREFIX = 'whsec_'

/** @param keys in base64, separated by commas: the first encrypts, all decrypt */
export function createSecrets(keys: string): Secrets {
  const all = keys.split(',').map((key) => Buffer.from(key.trim(), 'base64'))
  const newest = all[0] as Buffer

  function seal(webhookId: string, secret: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', newest, nonce).setAAD(Buffer.from(webhookId))
    const encrypted = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), encrypted])
  }

  function tryOpen(key: Buffer, webhookId: string, stored: Buffer): string | undefined {
    const decipher = createDecipheriv('aes-256-gcm', key, stored.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(Buffer.from(webhookId)).setAuthTag(stored.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    try {
      return decipher.update(stored.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    } catch {
      return undefined
    }
  }

  return {
    make: (webhookId) => {
      const secret = PREFIX + randomBytes(SECRET_BYTES).toString('base64')
      return { secret, stored: seal(webhookId, secret) }
    },
    open: (webhookId, stored) => {
      for (const key of all) {
        const secret = tryOpen(key, webhookId, stored)
        if (secret !== undefined) return secret
      }
      throw new Error('no key of WEBHOOK_KEYS decrypts the secret of this webhook')
    },
  }
}
