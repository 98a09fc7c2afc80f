import { hash, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { SecretBox } from '../access/secret-box.ts'
import { Internal, UnknownCallback } from '../errors/catalogue.ts'
import type { Log } from '../telemetry/log.ts'

/** Where a provider reports a tenant's calls. */
export type KnownCallback = {
  readonly id: string
  readonly tenantId: string
  readonly tenantRate?: number
  readonly secret: string
}

type Stored = Omit<KnownCallback, 'secret'> & { readonly sealedSecret: Buffer }
export type FindCallback = (callbackHash: Buffer, provider: string) => Promise<Stored | undefined>

export type Callbacks = {
  /** @throws {UnknownCallback} there is none of this provider, or it has ended @throws {Internal} nobody can open its secret */
  find(provider: string, callback: string): Promise<KnownCallback>
}

/** Begins the id in a callback's URL, so that a person, or a scanner for secrets, knows one when it lies about. */
const PREFIX = 'hwc_'
const RANDOM_BYTES = 24
const PATTERN = /^hwc_[\w-]{32}$/
/** Unknown ones are counted apart, so that guessing does not push out real ones. */
const KNOWN_MAX = 10_000
const UNKNOWN_MAX = 1_000

export function newCallback(): { readonly callback: string; readonly callbackHash: Buffer } {
  const callback = PREFIX + randomBytes(RANDOM_BYTES).toString('base64url')
  return { callback, callbackHash: hash('sha256', callback, 'buffer') }
}

/** What a secret is sealed for: it cannot be moved to another callback. */
export const sealedFor = (callbackId: string, provider: string): string => `${provider} callback ${callbackId}`

/** Keeps answers for `cacheMs`, as for keys, so that one that was ended is refused within that time on every instance. */
export function createCallbacks(deps: {
  readonly find: FindCallback
  readonly secrets: SecretBox | undefined
  readonly cacheMs: number
  readonly log: Log
}): Callbacks {
  const { find, secrets, cacheMs, log } = deps
  // To the library 0 is for ever.
  const ttl = Math.max(1, cacheMs)
  const known = new LRUCache<string, KnownCallback>({ max: KNOWN_MAX, ttl, fetchMethod: look })
  const unknown = new LRUCache<string, true>({ max: UNKNOWN_MAX, ttl })

  async function look(key: string): Promise<KnownCallback | undefined> {
    const [provider = '', callback = ''] = key.split('/')
    const stored = await find(hash('sha256', callback, 'buffer'), provider)
    if (stored === undefined) return undefined
    const { sealedSecret, ...rest } = stored
    const secret = secrets?.open(sealedSecret, sealedFor(stored.id, provider))
    if (secret !== undefined) return { ...rest, secret }
    log.error({ callback: stored.id }, 'PROVIDER_SECRETS_KEY does not open the secret of a callback')
    throw Internal()
  }

  return {
    find: async (provider, callback) => {
      if (!PATTERN.test(callback)) throw UnknownCallback()
      const key = `${provider}/${callback}`
      if (unknown.has(key)) throw UnknownCallback()
      const found = await known.fetch(key)
      if (found !== undefined) return found
      unknown.set(key, true)
      throw UnknownCallback()
    },
  }
}
