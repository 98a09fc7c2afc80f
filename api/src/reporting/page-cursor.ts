import { InvalidCursor, TokenOutdated } from '../errors/catalogue.ts'
import type { Tokens } from '../postgres/tokens.ts'
import type { WalPosition } from '../postgres/wal-position.ts'
import { type CallsOrder, USUAL_ORDER } from './calls-order.ts'

/** Where a page ended. */
export type PageCursor = {
  /** What its last row is sorted by, as Postgres writes it: a Date would lose microseconds, and skip or repeat rows. */
  readonly place: readonly string[]
  /** What the page showed lies before it: the next page must not be read from a server that is not as far. */
  readonly shownUpTo: WalPosition
}

/** What is paged through: a cursor is good for nothing else, and for no other tenant. */
export type Paged = {
  readonly purpose: string
  /** How many texts its places have. Only the last of them may contain a `|`. */
  readonly parts: number
}

/** Calls by what they are ordered by and call_id. In the usual order, cursors of before are still good. */
export const callsPaged = (tenantId: string, filterKey: string, order: CallsOrder = USUAL_ORDER): Paged => ({
  purpose: JSON.stringify(['calls cursor', 2, tenantId, filterKey, ...(order === USUAL_ORDER ? [] : [order])]),
  parts: 2,
})

/** Changes by (change_id, entry), and the time before which all are shown. */
export const changesPaged = (tenantId: string, filterKey: string): Paged => ({
  purpose: JSON.stringify(['changes cursor', 1, tenantId, filterKey]),
  parts: 3,
})

/** Events of a call by (occurred_at, rank, received_at, place, event_id). */
export const timelinePaged = (tenantId: string, callId: string): Paged => ({
  purpose: JSON.stringify(['timeline cursor', 1, tenantId, callId]),
  parts: 5,
})

const POSITION_BYTES = 8

/** Opaque to who gets it. */
export function encodeCursor(
  tokens: Pick<Tokens, 'seal'>,
  { purpose }: Paged,
  { place, shownUpTo }: PageCursor,
): string {
  const position = Buffer.alloc(POSITION_BYTES)
  position.writeBigUInt64BE(shownUpTo)
  return tokens.seal(purpose, Buffer.concat([position, Buffer.from(place.join('|'))]))
}

/** @throws {InvalidCursor | TokenOutdated | DatabaseUnavailable} */
export async function decodeCursor(
  tokens: Pick<Tokens, 'open'>,
  { purpose, parts }: Paged,
  given: string,
): Promise<PageCursor> {
  const payload = await tokens.open(purpose, given)
  if (payload === 'invalid') throw InvalidCursor('is damaged or belongs to another question')
  if (payload === 'outdated') throw TokenOutdated('cursor')
  const texts = payload.toString('utf8', POSITION_BYTES).split('|')
  const place = [...texts.slice(0, parts - 1), texts.slice(parts - 1).join('|')]
  return { place, shownUpTo: payload.readBigUInt64BE() }
}
