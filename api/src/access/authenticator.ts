import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Principal } from './principal.ts'

/** Finds the principal whose key has this SHA-256 hash; `undefined` when there is none or it is revoked. */
export type FindPrincipal = (keyHash: Buffer) => Promise<Principal | undefined>

export type Authenticator = {
  /**
   * Answers at once what is known from the last few seconds.
   * @throws whatever `find` throws, by rejecting
   */
  authenticate(key: string): Principal | undefined | Promise<Principal | undefined>
  /** True while the key is known not to be revoked; asks again when what is known is too old. */
  stillValid(keyId: string): Promise<boolean>
}

/** A key longer than this is not one of ours, and is not worth hashing. */
const KEY_MAX_LENGTH = 512
/** Those asked for last; unknown keys are counted apart, so that guessing does not push out real ones. */
const KNOWN_MAX = 10_000
const UNKNOWN_MAX = 1_000

/**
 * Keeps answers for `cacheMs`, so that a revoked key stops working within that time on every instance,
 * and asks once for a key however many requests wait for it.
 *
 * Only the hash of a key is kept or compared, so no comparison's time tells anything about the key itself.
 */
export function createAuthenticator(
  find: FindPrincipal,
  cacheMs: number,
  now: () => number = () => performance.now(),
): Authenticator {
  const shortLived = { ttl: cacheMs, ttlResolution: 0, perf: { now } }
  const known = new LRUCache<string, Principal>({ max: KNOWN_MAX, ...shortLived })
  const unknown = new LRUCache<string, true>({ max: UNKNOWN_MAX, ...shortLived })
  // Longer than the answers: an open socket's key is asked for again by it, every second, and so is not pushed out.
  const hashOfKeyId = new LRUCache<string, string>({ max: KNOWN_MAX })
  const asking = new Map<string, Promise<Principal | undefined>>()

  function remember(hashed: string, principal: Principal | undefined): void {
    known.delete(hashed)
    unknown.delete(hashed)
    if (principal !== undefined) hashOfKeyId.set(principal.keyId, hashed)
    // To the library a time to live of 0 is for ever.
    if (cacheMs === 0) return
    if (principal === undefined) unknown.set(hashed, true)
    else known.set(hashed, principal)
  }

  function look(hashed: string): Principal | undefined | Promise<Principal | undefined> {
    const principal = known.get(hashed)
    if (principal !== undefined || unknown.has(hashed)) return principal
    let answer = asking.get(hashed)
    if (answer === undefined) {
      answer = find(Buffer.from(hashed, 'base64'))
        .then((principal) => {
          remember(hashed, principal)
          return principal
        })
        .finally(() => asking.delete(hashed))
      asking.set(hashed, answer)
    }
    return answer
  }

  return {
    authenticate: (key) => (key.length > KEY_MAX_LENGTH ? undefined : look(hash('sha256', key, 'base64'))),
    stillValid: async (keyId) => {
      const hashed = hashOfKeyId.get(keyId)
      if (hashed === undefined) return false
      // With the database away nobody can say; a socket that is open stays open until somebody can.
      try {
        return (await look(hashed))?.keyId === keyId
      } catch {
        return true
      }
    },
  }
}
