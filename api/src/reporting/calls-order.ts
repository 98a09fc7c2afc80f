/** What calls may be listed by: the field of the answer; with a minus, the largest first. */
export const CALLS_ORDERS = ['-startedAt', 'startedAt', '-endedAt', 'endedAt', '-talkMs', 'talkMs'] as const
export type CallsOrder = (typeof CALLS_ORDERS)[number]
export const USUAL_ORDER: CallsOrder = '-startedAt'

export type OrderColumn = 'started_at' | 'ended_at' | 'talk_ms'

/** An order as SQL: by a column of hopwhistle.calls, and by the id of the call where that is the same. */
export type OrderedBy = {
  readonly column: OrderColumn
  readonly direction: 'desc' | 'asc'
  /** What a later row compares as. */
  readonly after: '<' | '>'
  /** Before everything, as Postgres writes it. */
  readonly beginning: string
  /** What only calls have that are in the list; null: all of them. */
  readonly only: string | null
}

const COLUMNS: Readonly<Record<string, { column: OrderColumn; least: string; most: string; only: string | null }>> = {
  startedAt: { column: 'started_at', least: '-infinity', most: 'infinity', only: null },
  endedAt: { column: 'ended_at', least: '-infinity', most: 'infinity', only: 'ended_at is not null' },
  talkMs: { column: 'talk_ms', least: '-1', most: '9223372036854775807', only: 'talk_ms is not null' },
}

export function orderedBy(order: CallsOrder): OrderedBy {
  const descending = order.startsWith('-')
  const { column, least, most, only } = COLUMNS[order.replace('-', '')] as (typeof COLUMNS)[string]
  return descending
    ? { column, direction: 'desc', after: '<', beginning: most, only }
    : { column, direction: 'asc', after: '>', beginning: least, only }
}
