import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import type { Client } from 'pg'

const ITERATIONS = 4096

/**
 * Lets one of our roles log in with this password.
 *
 * Only the SCRAM-SHA-256 verifier goes over the wire, so that no log of statements ever shows the password.
 */
export async function setRolePassword(
  client: Client,
  role: 'hopwhistle_api' | 'hopwhistle_monitor',
  password: string,
): Promise<void> {
  // Another database's migration may write the same role at the same moment: "tuple concurrently updated".
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query(`alter role ${role} login password '${scramVerifier(password)}'`)
      return
    } catch (error) {
      if ((error as { code?: string }).code !== 'XX000' || attempt === 5) throw error
    }
  }
}

/** RFC 5803, as Postgres stores it: base64 and punctuation only, so it needs no quoting. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, ITERATIONS, 32, 'sha256')
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest()
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`
}
