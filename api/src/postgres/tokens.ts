/**
 * Tokens that clients carry from one answer to a later request: positions and cursors.
 *
 *   key 1 byte · history 4 bytes · payload · signature 8 bytes, all as base64url
 *
 * - The signature is a truncated HMAC-SHA-256. A token that nobody was given is refused before it can send a report to the
 *   primary, keep it waiting or reach a statement. The database keeps the keys, so every instance takes the others' tokens.
 * - The history is a hash of the system identifier and the timeline. A position says nothing about another database, nor about
 *   this one after a restore or a failover, which may have lost what the token stands for.
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientBase } from 'pg'
import { DatabaseUnavailable, InvalidPosition, TokenOutdated } from '../errors/catalogue.ts'
import type { PrimaryServer } from './primary-server.ts'
import type { WalPosition } from './wal-position.ts'

export type Tokens = {
  /** Keys are known from the first connection to the primary on. @throws {DatabaseUnavailable} they cannot be read */
  ready(): Promise<void>
  /** Only when `ready`. @param purpose what it is for: it is good for nothing else */
  seal(purpose: string, payload: Buffer): string
  /** @returns the payload; `invalid` for what was not sealed for this purpose @throws {DatabaseUnavailable} nobody can tell */
  open(purpose: string, token: string): Promise<Buffer | 'invalid' | 'outdated'>
  /** As `seal`. */
  sealPosition(position: WalPosition): string
  /** @throws {InvalidPosition | TokenOutdated | DatabaseUnavailable} */
  openPosition(token: string): Promise<WalPosition>
}

type Key = { readonly id: number; readonly secret: Buffer }

/** The highest id signs. */
export type TokenKeys = {
  newest(): Key | undefined
  find(id: number): Key | undefined
  read(db: Pick<ClientBase, 'query'>): Promise<void>
}

export function createTokenKeys(): TokenKeys {
  let keys: readonly Key[] = []
  return {
    newest: () => keys[0],
    find: (id) => keys.find((key) => key.id === id),
    read: async (db) => {
      const { rows } = await db.query<Key>('select id, secret from hopwhistle.token_keys order by id desc')
      if (rows.length > 0) keys = rows
    },
  }
}

/** A token that an instance cannot judge makes it ask the database; all such tokens together, this often at most. */
const READ_KEYS_EVERY_MS = 100
const ASK_PRIMARY_EVERY_MS = 200
const HEAD_BYTES = 5
const SIGNATURE_BYTES = 8
const POSITION = 'position'
const UNKNOWN_HISTORY = Buffer.alloc(4)

/** @param readKeys reads them again @param askPrimary asks it for its history; both reject when no server answers */
export function createTokens(deps: {
  readonly keys: TokenKeys
  readonly primary: Pick<PrimaryServer, 'history'>
  readonly readKeys: () => Promise<void>
  readonly askPrimary: () => Promise<unknown>
}): Tokens {
  const { keys, primary } = deps
  const readKeys = askAnew(deps.readKeys, READ_KEYS_EVERY_MS)
  const askPrimary = askAnew(deps.askPrimary, ASK_PRIMARY_EVERY_MS)
  let hashed: { readonly of: string | undefined; readonly bytes: Buffer } = { of: undefined, bytes: UNKNOWN_HISTORY }
  let last: { readonly position: WalPosition; readonly history: Buffer; readonly token: string } | undefined

  function historyBytes(): Buffer {
    const history = primary.history()
    if (history !== undefined && hashed.of !== history) {
      hashed = { of: history, bytes: hash('sha256', history, 'buffer').subarray(0, UNKNOWN_HISTORY.length) }
    }
    return hashed.bytes
  }

  async function ready(): Promise<void> {
    if (keys.newest() === undefined) await readKeys()
    if (keys.newest() === undefined) throw DatabaseUnavailable()
  }

  /** One that another instance signs with since this one last read them. */
  async function keyOf(id: number): Promise<Key | undefined> {
    if (keys.newest() === undefined) await ready()
    if (keys.find(id) === undefined) await readKeys()
    return keys.find(id)
  }

  async function isOfThisHistory(history: Buffer): Promise<boolean> {
    if (primary.history() === undefined || history.equals(historyBytes())) return true
    // It may be another since this instance last asked.
    await askPrimary()
    return history.equals(historyBytes())
  }

  function seal(purpose: string, payload: Buffer): string {
    const key = keys.newest()
    if (key === undefined) throw DatabaseUnavailable()
    const signed = Buffer.concat([Buffer.of(key.id), historyBytes(), payload])
    return Buffer.concat([signed, signature(key, purpose, signed)]).toString('base64url')
  }

  async function open(purpose: string, token: string): Promise<Buffer | 'invalid' | 'outdated'> {
    const bytes = Buffer.from(token, 'base64url')
    // Node reads what is not base64url as if it were not there.
    if (bytes.length < HEAD_BYTES + SIGNATURE_BYTES || bytes.toString('base64url') !== token) return 'invalid'
    const key = await keyOf(bytes[0] as number)
    const signed = bytes.subarray(0, -SIGNATURE_BYTES)
    if (key === undefined || !timingSafeEqual(signature(key, purpose, signed), bytes.subarray(-SIGNATURE_BYTES))) {
      return 'invalid'
    }
    if (!(await isOfThisHistory(signed.subarray(1, HEAD_BYTES)))) return 'outdated'
    return signed.subarray(HEAD_BYTES)
  }

  return {
    ready,
    seal,
    open,
    // The events of a batch share a commit, and so a position.
    sealPosition: (position) => {
      const history = historyBytes()
      if (last?.position !== position || last.history !== history) {
        const payload = Buffer.alloc(8)
        payload.writeBigUInt64BE(position)
        last = { position, history, token: seal(POSITION, payload) }
      }
      return last.token
    },
    openPosition: async (token) => {
      const payload = await open(POSITION, token)
      if (payload === 'outdated') throw TokenOutdated('position')
      if (payload === 'invalid') throw InvalidPosition()
      return payload.readBigUInt64BE()
    },
  }
}

function signature({ secret }: Key, purpose: string, signed: Buffer): Buffer {
  return createHmac('sha256', secret).update(`${purpose}\0`).update(signed).digest().subarray(0, SIGNATURE_BYTES)
}

/**
 * For what may have changed a moment ago: it resolves after an `ask` that began after the call, however many call.
 *
 * @param everyMs one `ask` begins this long after the one before, or later
 */
function askAnew(ask: () => Promise<unknown>, everyMs: number): () => Promise<void> {
  let begunAtMs = Number.NEGATIVE_INFINITY
  let next: Promise<void> | undefined
  async function askOnce(): Promise<void> {
    await sleep(Math.max(0, begunAtMs + everyMs - performance.now()))
    begunAtMs = performance.now()
    try {
      await ask()
    } catch (error) {
      throw DatabaseUnavailable(error)
    } finally {
      next = undefined
    }
  }
  return async () => {
    const calledAtMs = performance.now()
    while (begunAtMs < calledAtMs) {
      next ??= askOnce()
      await next
    }
  }
}
