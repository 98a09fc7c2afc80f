import { InvalidCursor, TokenOutdated } from '../errors/catalogue.ts'
import type { Tokens } from '../postgres/tokens.ts'
import type { WalPosition } from '../postgres/wal-position.ts'

/** Where a page of calls ended. */
export type CallsCursor = {
  /** As Postgres writes it, in UTC and to the microsecond: a Date would lose some and skip or repeat calls. */
  readonly startedAt: string
  readonly callId: string
  /** What the page showed lies before it: the next page must not be read from a server that is not as far. */
  readonly shownUpTo: WalPosition
}

const POSITION_BYTES = 8

/** Opaque, and good only for the tenant and the filter that it was made for. */
export function encodeCursor(
  tokens: Pick<Tokens, 'seal'>,
  tenantId: string,
  filterKey: string,
  cursor: CallsCursor,
): string {
  const position = Buffer.alloc(POSITION_BYTES)
  position.writeBigUInt64BE(cursor.shownUpTo)
  const payload = Buffer.concat([position, Buffer.from(`${cursor.startedAt}|${cursor.callId}`)])
  return tokens.seal(purpose(tenantId, filterKey), payload)
}

/** @throws {InvalidCursor | TokenOutdated | DatabaseUnavailable} */
export async function decodeCursor(
  tokens: Pick<Tokens, 'open'>,
  tenantId: string,
  filterKey: string,
  given: string,
): Promise<CallsCursor> {
  const payload = await tokens.open(purpose(tenantId, filterKey), given)
  if (payload === 'invalid') throw InvalidCursor('is damaged or belongs to other filters')
  if (payload === 'outdated') throw TokenOutdated('cursor')
  const place = payload.toString('utf8', POSITION_BYTES)
  const end = place.indexOf('|')
  return { startedAt: place.slice(0, end), callId: place.slice(end + 1), shownUpTo: payload.readBigUInt64BE() }
}

const purpose = (tenantId: string, filterKey: string) => JSON.stringify(['calls cursor', 2, tenantId, filterKey])
