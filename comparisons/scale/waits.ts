/** What the API's connections to the primary wait for, by sampling Postgres. */
import { setTimeout as sleep } from 'node:timers/promises'
import { withClient } from '@hopwhistle/platform/stack/with-client.ts'

export type Waits = {
  /** How many samples showed an active connection. */
  readonly seen: number
  /** By wait event, such as `IO WALSync`; `CPU` for a running one. Most frequent first. */
  readonly shares: readonly (readonly [what: string, share: number])[]
}

const EVERY_MS = 50
const SQL = `
  select coalesce(wait_event_type || ' ' || wait_event, 'CPU') as what, count(*)::int as seen
  from pg_stat_activity
  where application_name like 'hopwhistle-api%' and state = 'active'
  group by 1`

/** Samples for as long as `work` takes. */
export async function withWaits<T>(ownerUrl: string, work: () => Promise<T>): Promise<readonly [T, Waits]> {
  return withClient(ownerUrl, async (client) => {
    const counts = new Map<string, number>()
    let working = true
    const sampling = (async () => {
      while (working) {
        const { rows } = await client.query<{ what: string; seen: number }>(SQL)
        for (const { what, seen } of rows) counts.set(what, (counts.get(what) ?? 0) + seen)
        await sleep(EVERY_MS)
      }
    })()
    try {
      const done = await work()
      working = false
      await sampling
      const seen = [...counts.values()].reduce((sum, n) => sum + n, 0)
      const shares = [...counts].map(([what, n]) => [what, n / seen] as const).toSorted((a, b) => b[1] - a[1])
      return [done, { seen, shares }]
    } finally {
      working = false
      await sampling.catch(() => {})
    }
  })
}
