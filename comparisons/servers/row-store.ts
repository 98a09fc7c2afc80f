import { readFile } from 'node:fs/promises'
import { CALL_DIRECTIONS, CALL_STATE_CODE, CALL_STATES, type CallEventBody } from '@hopwhistle/contract/calls.ts'
import pg from 'pg'
import type { Stored } from './event-route.ts'

const INSERT_EVENT = {
  name: 'insert event',
  text: `insert into naive.call_events (
    tenant_id, event_id, call_id, state, occurred_at, received_at, direction, from_number, to_number, metadata)
  values ($1, $2, $3, $4, $5, now(), $6, $7, $8, $9)
  on conflict (tenant_id, event_id) do nothing`,
}

/** Creates the tables and indexes of the row store, and installs pg_stat_statements. */
export async function createRowTables(client: pg.Client): Promise<void> {
  await client.query(await readFile(new URL('row-store.sql', import.meta.url), 'utf8'))
}

export type RowStore = { store(event: CallEventBody): Promise<Stored>; close(): Promise<void> }

/** The call as the platform stores it: state by rank, the first value of each time, and of the other fields the first known. */
const UPSERT_CALL = {
  name: 'upsert call',
  text: `insert into naive.calls as c (
    tenant_id, call_id, state, started_at, initiated_at, ringing_at, answered_at, ended_at, updated_at,
    direction, from_number, to_number)
  values ($1, $2, $3::smallint, $4::timestamptz,
    case when $3 = 0 then $4 end, case when $3 = 1 then $4 end, case when $3 = 2 then $4 end, case when $3 >= 3 then $4 end,
    now(), $5, $6, $7)
  on conflict (tenant_id, call_id) do update set
    state = case when least(excluded.state, 3) > c.state then excluded.state else c.state end,
    started_at = least(c.started_at, excluded.started_at),
    initiated_at = least(c.initiated_at, excluded.initiated_at),
    ringing_at = least(c.ringing_at, excluded.ringing_at),
    answered_at = least(c.answered_at, excluded.answered_at),
    ended_at = least(c.ended_at, excluded.ended_at),
    updated_at = greatest(c.updated_at, excluded.updated_at),
    direction = least(c.direction, excluded.direction),
    from_number = least(c.from_number, excluded.from_number),
    to_number = least(c.to_number, excluded.to_number)
  returning state`,
}

/**
 * Its `store` inserts an event and updates its call in one transaction: four round trips, with prepared statements.
 *
 * It does less than the platform: no rollups, no outbox, no row-level security, and no check whether the same id was stored
 * with other content.
 *
 * @param databaseUrl a database with the tables of `createRowTables`
 */
export function openRowStore(databaseUrl: string, tenantId: string, poolSize: number): RowStore {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize, application_name: 'row-at-a-time' })
  const store: RowStore['store'] = async ({ eventId, callId, state, occurredAt, direction, from, to, metadata }) => {
    const code = CALL_STATE_CODE[state]
    const way = direction === undefined ? null : CALL_DIRECTIONS.indexOf(direction)
    const client = await pool.connect()
    try {
      await client.query('begin')
      const { rowCount } = await client.query({
        ...INSERT_EVENT,
        values: [tenantId, eventId, callId, code, occurredAt, way, from, to, metadata],
      })
      const { rows } = await client.query<{ state: number }>({
        ...UPSERT_CALL,
        values: [tenantId, callId, code, occurredAt, way, from, to],
      })
      await client.query('commit')
      const callState = CALL_STATES[rows[0]!.state]!
      const outcome = rowCount === 0 ? 'duplicate' : callState === state ? 'applied' : 'late'
      return { outcome, callState }
    } catch (error) {
      await client.query('rollback')
      throw error
    } finally {
      client.release()
    }
  }
  return { store, close: () => pool.end() }
}
