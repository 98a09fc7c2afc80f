import pg from 'pg'
import type { Entry } from './ledger-load.ts'

export type Comparison = {
  /** Acknowledged, and not in Postgres. */
  readonly lost: readonly string[]
  /** In Postgres, and never sent. */
  readonly unknown: readonly string[]
  /** Whether the number of calls equals that of the rollups, folded and pending together. */
  readonly rollupsEqual: boolean
}

/** Compares the acknowledged events with the rows of the primary. */
export async function compareLedger(ownerUrl: string, name: string, entries: readonly Entry[]): Promise<Comparison> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ event_id: string }>(
      `select event_id from hopwhistle.call_events where event_id >= $1 || '.' and event_id < $1 || '/'`,
      [name],
    )
    const stored = new Set(rows.map(({ event_id }) => event_id))
    const sent = new Set(entries.map(({ eventId }) => eventId))
    const counts = await client.query<{ calls: string; rolled_up: string; pending: string }>(
      `select (select count(*) from hopwhistle.calls) as calls,
         (select coalesce(sum(calls), 0) from hopwhistle.call_metrics_hourly) as rolled_up,
         (select coalesce(sum(calls), 0) from hopwhistle.call_metrics_pending) as pending`,
    )
    const [count] = counts.rows
    return {
      lost: entries.filter((e) => e.ackedAtMs !== undefined && !stored.has(e.eventId)).map((e) => e.eventId),
      unknown: [...stored].filter((eventId) => !sent.has(eventId)),
      rollupsEqual: Number(count?.calls) === Number(count?.rolled_up) + Number(count?.pending),
    }
  } finally {
    await client.end()
  }
}
