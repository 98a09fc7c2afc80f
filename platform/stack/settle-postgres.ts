import { waitUntil } from '../lib/wait-until.ts'
import { withClient } from './with-client.ts'

/**
 * Brings Postgres to the same state before each scenario: earlier data is written to disk and to the replica, so that
 * these writes are not measured as part of this scenario.
 */
export async function settlePostgres(
  urls: { readonly primaryUrl: string; readonly replicaUrl?: string },
  signal?: AbortSignal,
): Promise<void> {
  const at = await withClient(urls.primaryUrl, async (primary) => {
    await primary.query('checkpoint')
    const { rows } = await primary.query<{ at: string }>('select pg_current_wal_flush_lsn() as at')
    return rows[0]?.at
  })
  const { replicaUrl } = urls
  if (replicaUrl === undefined) return
  await waitUntil(
    'the replica to catch up',
    // Connects each time: a database that was just created may not be on the replica yet.
    () =>
      withClient(replicaUrl, async (replica) => {
        const { rows } = await replica.query<{ reached: boolean }>(
          'select pg_last_wal_replay_lsn() >= $1::pg_lsn as reached',
          [at],
        )
        return rows[0]?.reached
      }),
    { timeoutMs: 60_000, everyMs: 100, ...(signal === undefined ? {} : { signal }) },
  )
  await withClient(replicaUrl, (replica) => replica.query('checkpoint'))
}
