import { hash } from 'node:crypto'
import { EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { InvalidCursor } from '../errors/catalogue.ts'
import type { WalPosition } from '../postgres/wal-position.ts'

/** Where a page of calls ended. */
export type CallsCursor = {
  /** As Postgres writes it, in UTC and to the microsecond: a Date would lose some and skip or repeat calls. */
  readonly startedAt: string
  readonly callId: string
  /** What the page showed lies before it: the next page must not be read from a server that is not as far. */
  readonly shownUpTo: WalPosition
}

const SEAL_BYTES = 12
const FORM = /^(\d{1,20})\|(2\d{3}-\d\d-\d\d [0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,6})?)\|([^\0]+)$/s

/**
 * Opaque, and bound to the tenant and the filter it was made for: the seal is a hash of all of it. The seal keeps
 * accidents out, not attackers: a cursor only says where to go on among the rows that its tenant may see anyway.
 */
export function encodeCursor(tenantId: string, filterKey: string, cursor: CallsCursor): string {
  const payload = `${cursor.shownUpTo}|${cursor.startedAt}|${cursor.callId}`
  return Buffer.concat([seal(tenantId, filterKey, payload), Buffer.from(payload)]).toString('base64url')
}

/** @throws {InvalidCursor} */
export function decodeCursor(tenantId: string, filterKey: string, given: string): CallsCursor {
  const bytes = Buffer.from(given, 'base64url')
  // Node reads what is not base64url as if it were not there.
  if (bytes.length <= SEAL_BYTES || bytes.toString('base64url') !== given) throw InvalidCursor('is damaged')
  const payload = bytes.toString('utf8', SEAL_BYTES)
  if (!bytes.subarray(0, SEAL_BYTES).equals(seal(tenantId, filterKey, payload))) {
    throw InvalidCursor('is damaged or belongs to other filters')
  }
  const [, shownUpTo = '', startedAt = '', callId = ''] = FORM.exec(payload) ?? []
  if (
    Number.isNaN(Date.parse(startedAt)) ||
    callId.length > EVENT_BOUNDS.idMaxLength ||
    BigInt(shownUpTo) >= 2n ** 64n
  ) {
    throw InvalidCursor('is damaged')
  }
  return { startedAt, callId, shownUpTo: BigInt(shownUpTo) }
}

function seal(tenantId: string, filterKey: string, payload: string): Buffer {
  return hash('sha256', JSON.stringify(['calls cursor', 1, tenantId, filterKey, payload]), 'buffer').subarray(
    0,
    SEAL_BYTES,
  )
}
