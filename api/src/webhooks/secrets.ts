/** Secrets that sign webhooks. To sign, the platform needs the secret itself, so it is stored encrypted: see secret-box.ts. */
import { randomBytes } from 'node:crypto'
import { createSecretBox } from '../access/secret-box.ts'

export type Secrets = {
  /** @returns the text for the receiver, shown once, and what is stored */
  make(webhookId: string): { readonly secret: string; readonly stored: Buffer }
  /** @throws {Error} when no key of WEBHOOK_KEYS fits */
  open(webhookId: string, stored: Buffer): string
}

/** As Standard Webhooks recommends: 24 to 64 bytes. */
const SECRET_BYTES = 32
const PREFIX = 'whsec_'

/** @param keys the first encrypts, all decrypt */
export function createSecrets(keys: readonly Buffer[]): Secrets {
  const box = createSecretBox(keys)
  return {
    make: (webhookId) => {
      const secret = PREFIX + randomBytes(SECRET_BYTES).toString('base64')
      return { secret, stored: box.seal(secret, webhookId) }
    },
    open: (webhookId, stored) => {
      const secret = box.open(stored, webhookId)
      if (secret === undefined) throw new Error('no key of WEBHOOK_KEYS decrypts the secret of this webhook')
      return secret
    },
  }
}
