import { CALL_DIRECTIONS, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import { type CallRow, callFields } from './call-json.ts'
import { csvLine, csvText } from './csv.ts'

/** Calls as lines. Each has the cursor that asks for the lines after it; the last one of all has none. */
export type CallsLines = {
  /** Before all lines. */
  readonly head: string
  line(row: CallRow, cursor: string | null): string
}

/** The objects of the list of calls, with a `cursor` each. */
export const NDJSON_CALLS: CallsLines = {
  head: '',
  line: (row, cursor) => `{${callFields(row)},"cursor":${cursor === null ? 'null' : `"${cursor}"`}}\n`,
}

const time = (text: string | null): string => (text === null ? '' : `${text.slice(0, 10)}T${text.slice(11)}Z`)

/** By name what they are in JSON. None is ever renamed, moved or taken away; new ones come at the end. */
const COLUMNS: readonly (readonly [name: string, field: (row: CallRow, cursor: string | null) => string])[] = [
  ['callId', (row) => csvText(row.call_id)],
  ['state', (row) => CALL_STATES[Number(row.state)] as string],
  ['direction', (row) => (row.direction === null ? '' : (CALL_DIRECTIONS[Number(row.direction)] as string))],
  ['from', (row) => csvText(row.from_number)],
  ['to', (row) => csvText(row.to_number)],
  ['startedAt', (row) => time(row.started_at)],
  ['initiatedAt', (row) => time(row.initiated_at)],
  ['ringingAt', (row) => time(row.ringing_at)],
  ['answeredAt', (row) => time(row.answered_at)],
  ['endedAt', (row) => time(row.ended_at)],
  ['updatedAt', (row) => time(row.updated_at)],
  ['ringMs', (row) => row.ring_ms ?? ''],
  ['talkMs', (row) => row.talk_ms ?? ''],
  ['durationMs', (row) => row.duration_ms ?? ''],
  ['stale', (row) => String(row.stale === 't')],
  ['labels', (row) => csvText(row.labels ?? '{}')],
  ['sequence', (row) => row.sequence ?? ''],
  ['cursor', (_row, cursor) => cursor ?? ''],
]

export const CSV_CALLS: CallsLines = {
  head: csvLine(COLUMNS.map(([name]) => name)),
  line: (row, cursor) => csvLine(COLUMNS.map(([, field]) => field(row, cursor))),
}
