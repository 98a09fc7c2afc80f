import { createTicker } from '../timing/ticker.ts'

/** A connection that lives as long as its key. */
export type HasKey = { readonly keyId: string; revoked(): void }

export type KeyWatch<T> = { add(one: T): void; remove(one: T): void; stop(): void }

const ASK_EVERY_MS = 1_000

/** Asks about each key once a second, however many connections use it, and tells them when it is no longer valid. */
export function watchKeys<T extends HasKey>(stillValid: (keyId: string) => Promise<boolean>): KeyWatch<T> {
  const byKey = new Map<string, Set<T>>()
  let asking = false

  async function ask(): Promise<void> {
    if (asking) return
    asking = true
    try {
      for (const [keyId, ones] of byKey) {
        // Nobody knows is not a no: the connection stays until somebody knows.
        const valid = await stillValid(keyId).catch(() => true)
        if (!valid) for (const one of ones) one.revoked()
      }
    } finally {
      asking = false
    }
  }
  const asked = createTicker(ASK_EVERY_MS, () => {
    void ask()
    return byKey.size > 0
  })

  return {
    add: (one) => {
      const ones = byKey.get(one.keyId) ?? new Set()
      byKey.set(one.keyId, ones.add(one))
      asked.wake()
    },
    remove: (one) => {
      const ones = byKey.get(one.keyId)
      ones?.delete(one)
      if (ones?.size === 0) byKey.delete(one.keyId)
    },
    stop: asked.stop,
  }
}
