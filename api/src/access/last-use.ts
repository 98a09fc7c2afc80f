import type { FindPrincipal } from './authenticator.ts'

/** A key that is used all the time is written once in so long, by each instance. */
const AGAIN_MS = 60_000
/** Keys that are used at the same time share a statement. */
const GATHER_MS = 1_000

/**
 * Has the last use of every key that is looked up written down, off the request's path. Looking up is what every use
 * does once in a few seconds, so that a request costs nothing more.
 *
 * @param write what fails is written with the next ones, or not: nobody waits for it
 */
export function withLastUse(
  find: FindPrincipal,
  write: (keyIds: readonly string[]) => Promise<void>,
  gatherMs = GATHER_MS,
): FindPrincipal {
  const written = new Map<string, number>()
  const used = new Set<string>()

  function flush(): void {
    const keyIds = [...used]
    used.clear()
    for (const [keyId, at] of written) if (Date.now() - at > AGAIN_MS) written.delete(keyId)
    for (const keyId of keyIds) written.set(keyId, Date.now())
    write(keyIds).catch(() => {
      for (const keyId of keyIds) written.delete(keyId)
    })
  }

  return async (keyHash) => {
    const principal = await find(keyHash)
    if (principal !== undefined && Date.now() - (written.get(principal.keyId) ?? 0) > AGAIN_MS) {
      if (used.size === 0) setTimeout(flush, gatherMs).unref()
      used.add(principal.keyId)
    }
    return principal
  }
}
