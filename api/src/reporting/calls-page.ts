import { parseWalPosition } from '../postgres/wal-position.ts'
import type { CallRow } from './call-json.ts'
import { callFields } from './call-json.ts'
import type { OrderColumn } from './calls-order.ts'
import type { PageCursor } from './page-cursor.ts'

export type CallsPageRow = CallRow & {
  readonly shown_up_to: string
  readonly matches: 't' | 'f'
  /** So many rows were looked at that the page ends here, whether this one matches or not. */
  readonly stopped: 't' | 'f'
}

/** The `calls` and the `nextCursor` of a page as JSON, without braces. `rows` may hold more than the page. */
export function callsPageFields(
  rows: readonly CallsPageRow[],
  limit: number,
  column: OrderColumn,
  encode: (cursor: PageCursor) => string,
): string {
  const { page, end } = cutPage(rows, limit)
  const nextCursor =
    end === undefined
      ? 'null'
      : `"${encode({ place: placeOf(end, column), shownUpTo: parseWalPosition(end.shown_up_to) ?? 0n })}"`
  return `"calls":[${page.map((row) => `{${callFields(row)}}`).join(',')}],"nextCursor":${nextCursor}`
}

/** What of the rows is the page, and the row after which the next page begins; undefined when there is none. */
export function cutPage(rows: readonly CallsPageRow[], limit: number) {
  const page: CallsPageRow[] = []
  for (const row of rows) {
    if (row.matches === 't' && page.length === limit) return { page, end: page.at(-1) }
    if (row.matches === 't') page.push(row)
    if (row.stopped === 't') return { page, end: row }
  }
  return { page, end: undefined }
}

/** What the list is sorted by. */
export const placeOf = (row: CallRow, column: OrderColumn): readonly string[] => [row[column] ?? '', row.call_id]
