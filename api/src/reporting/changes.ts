/**
 * The feed of calls that have changed: hopwhistle.call_changes, read from where the page before ended.
 *
 * Rollups are folded by one session at a time, which also writes the feed: its numbers are in the order of commit, on every
 * server. Nothing is missed by going on after the largest number that a page has shown, whichever replica shows the next
 * one: one that is behind has nothing new yet.
 *
 * A call is shown at its latest change. Earlier changes of it are skipped, because a later row has it. So no state of a call
 * comes twice.
 */
import { asTenant } from './as-tenant.ts'
import type { CallRow } from './call-json.ts'
import { CALL_COLUMNS, callFields } from './call-json.ts'
import { callsConditions, type Given, isoTime } from './calls-conditions.ts'
import type { CallsFilter } from './calls-filter.ts'
import type { PageCursor } from './page-cursor.ts'
import type { ReportStatement } from './read-report.ts'

/** Changes that a page looks at; those that are no longer the latest are not shown. */
const LOOK_AT = 1_000

/** Where a page ended: a row of call_changes, an entry of it, and a time before which everything was shown. */
export type ChangesPlace = { readonly change: string; readonly entry: string; readonly shownBefore: string }

export type ChangesRow = {
  /** Where the page begins, for a first page: the rows after it are looked at. */
  readonly begins_after: string
  /** What was looked at last; null when there was nothing. */
  readonly last_change: string | null
  readonly last_entry: string | null
  readonly last_folded_at: string | null
  readonly looked_at: string
  /** Everything that was folded before is shown, when nothing was left to look at. */
  readonly folded_until: string | null
  /** Changes since the place have been deleted. */
  readonly forgotten: 't' | 'f'
} & { readonly [K in keyof CallRow]: CallRow[K] | null } & {
  readonly change_id: string | null
  readonly entry: string | null
  readonly folded_at: string | null
}

/**
 * Plan: the key of call_changes from the place on, LOOK_AT entries at most, and calls_pkey for each. The first page also
 * looks up a time in call_changes_folded.
 *
 * @param from where the page before ended, or Unix milliseconds
 */
export function changesStatement(
  tenantId: string,
  filter: CallsFilter,
  from: ChangesPlace | number,
  limit: number,
): ReportStatement {
  const place =
    typeof from === 'number'
      ? { change: null, entry: '2147483647', shownBefore: isoTime(from) }
      : { ...from, shownBefore: `${from.shownBefore}Z` }
  const values: unknown[] = [
    `{${tenantId}}`,
    tenantId,
    place.change,
    place.entry,
    place.shownBefore,
    // One more than the page, so that it knows whether it is the last.
    limit + 1,
  ]
  const given: Given = (value) => `$${values.push(value)}`
  const conditions = callsConditions(filter, given)
  const text = asTenant(
    `begins_after, last_change, last_entry, last_folded_at at time zone 'UTC' as last_folded_at, looked_at,
  folded_until at time zone 'UTC' as folded_until, forgotten, change_id, entry, folded_at at time zone 'UTC' as folded_at, ${CALL_COLUMNS}`,
    `
  with begins as materialized (
    select coalesce($3::bigint, hopwhistle.change_before($5::timestamptz)) as after
    where tenant.ids is not null
  ),
  looked_at as materialized (
    select l.change_id, e.entry, l.folded_at, e.call_id, e.sequence
    from hopwhistle.call_changes l
    cross join lateral unnest(l.call_ids, l.sequences) with ordinality as e (call_id, sequence, entry)
    where l.tenant_id = $2 and l.change_id >= (select after from begins)
      and (l.change_id > (select after from begins) or e.entry > $4::integer)
    order by l.change_id, e.entry
    limit ${LOOK_AT}
  ),
  shown as (
    select l.change_id, l.entry, l.folded_at, c.*
    from looked_at l
    cross join lateral (select * from hopwhistle.calls where tenant_id = $2 and call_id = l.call_id offset 0) c
    where c.sequence is not distinct from l.sequence
    ${conditions.map((condition) => `and ${condition}`).join('\n    ')}
    order by l.change_id, l.entry
    limit $6::integer
  ),
  last as (
    select change_id as last_change, entry as last_entry, folded_at as last_folded_at
    from looked_at order by change_id desc, entry desc limit 1
  )
  select b.after as begins_after, last.*, (select count(*) from looked_at) as looked_at, f.folded_until,
    $5::timestamptz < k.since as forgotten, shown.*
  from begins b
  cross join hopwhistle.call_changes_kept k
  cross join hopwhistle.rollup_folding f
  left join last on true
  left join shown on true
  order by shown.change_id, shown.entry
`,
  )
  return conditions.length === 0 ? { name: 'changes', text, values } : { text, values }
}

export type ChangesPage = {
  readonly fields: string
  readonly forgotten: boolean
}

/** The `calls`, the `nextCursor` and whether there is more of a page as JSON, without braces. */
export function changesPage(
  rows: readonly ChangesRow[],
  from: ChangesPlace | number,
  limit: number,
  encode: (cursor: PageCursor) => string,
): ChangesPage {
  const [head] = rows
  if (head === undefined) throw new Error('call_changes_kept and rollup_folding have one row each')
  const found = rows.filter((row): row is ChangesRow & CallRow => row.call_id !== null)
  const page = found.slice(0, limit)
  const isFull = found.length > limit
  const more = isFull || Number(head.looked_at) === LOOK_AT
  const end = placeAfter(head, isFull ? page.at(-1) : undefined, from, more)
  const nextCursor = encode({ place: [end.change, end.entry, end.shownBefore], shownUpTo: 0n })
  const calls = page.map((row) => `{${callFields(row)}}`).join(',')
  return {
    fields: `"calls":[${calls}],"nextCursor":"${nextCursor}","more":${more}`,
    forgotten: head.forgotten === 't',
  }
}

/** @param last of a page that is full: what comes after it has not been shown, though it was looked at */
function placeAfter(
  head: ChangesRow,
  last: ChangesRow | undefined,
  from: ChangesPlace | number,
  more: boolean,
): ChangesPlace {
  const before = typeof from === 'number' ? isoTime(from).replace('T', ' ').replace('Z', '') : from.shownBefore
  if (last !== undefined) {
    return { change: last.change_id ?? '', entry: last.entry ?? '', shownBefore: later(before, last.folded_at) }
  }
  return {
    change: head.last_change ?? head.begins_after,
    entry: head.last_entry ?? (typeof from === 'number' ? '2147483647' : from.entry),
    shownBefore: later(before, more ? head.last_folded_at : head.folded_until),
  }
}

/** Of two times as Postgres writes them. */
const later = (a: string, b: string | null): string => (b !== null && b > a ? b : a)
