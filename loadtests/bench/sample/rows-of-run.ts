import pg from 'pg'
import { farewellPrefix } from '../../scenarios/lib/message-ids.ts'
import type { RowsOfRun } from './server-evidence.ts'

/** A full run leaves 180,000 events, which take well under a second. */
const ANSWER_WITHIN_MS = 30_000

/**
 * Counts what a run left in the database by its ids, which all begin with the run's: a range of the primary keys,
 * whatever else there is. The farewells of publishers are left out, as they are in what k6 counts.
 *
 * @throws {Error} when Postgres does not answer in time
 */
export async function countRowsOfRun(primaryUrl: string, runId: string): Promise<RowsOfRun> {
  const client = new pg.Client({
    connectionString: primaryUrl,
    application_name: 'hopwhistle-bench',
    connectionTimeoutMillis: ANSWER_WITHIN_MS,
    query_timeout: ANSWER_WITHIN_MS,
  })
  client.on('error', () => {})
  await client.connect()
  try {
    const prefixes = [`${runId}.`, ...OF_PROVIDERS.map((provider) => `${provider}:${runId}.`)]
    const { rows } = await client.query<{ events: string; calls: string }>(COUNT, [
      `${runId}.`,
      after(`${runId}.`),
      farewellPrefix(runId),
      after(farewellPrefix(runId)),
      prefixes,
      prefixes.map(after),
    ])
    return { events: Number(rows[0]?.events), calls: Number(rows[0]?.calls) }
  } finally {
    await client.end()
  }
}

/** Ids of events that come from a provider begin with its name, and go on with the id of the call. */
const OF_PROVIDERS = ['twilio', 'sip-cdr'] as const

/** The first text, in the order of bytes, after all that begin with `prefix`. */
const after = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)

/** Index scans on call_events_…_pkey and calls_pkey: ids are compared byte by byte. */
const COUNT = `
  select
    (select count(*) from unnest($5::text[], $6::text[]) as ids (first, after), hopwhistle.call_events
      where event_id >= ids.first and event_id < ids.after and not (event_id >= $3 and event_id < $4)) as events,
    (select count(*) from hopwhistle.calls
      where call_id >= $1 and call_id < $2 and not (call_id >= $3 and call_id < $4)) as calls`
