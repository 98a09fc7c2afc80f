import { parseWalPosition } from '../postgres/wal-position.ts'
import type { CallRow } from './call-json.ts'
import { callFields } from './call-json.ts'
import type { PageCursor } from './page-cursor.ts'

export type CallsPageRow = CallRow & { readonly shown_up_to: string }

/** The `calls` and the `nextCursor` of a page as JSON, without braces. `rows` may hold more than the page. */
export function callsPageFields(
  rows: readonly CallsPageRow[],
  limit: number,
  encode: (cursor: PageCursor) => string,
): string {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const nextCursor =
    last === undefined || rows.length <= limit
      ? 'null'
      : `"${encode({
          place: [last.started_at, last.call_id],
          shownUpTo: parseWalPosition(last.shown_up_to) ?? 0n,
        })}"`
  return `"calls":[${page.map((row) => `{${callFields(row)}}`).join(',')}],"nextCursor":${nextCursor}`
}
