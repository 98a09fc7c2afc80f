import type { ClientBase } from 'pg'
import type { PostgresEvidence, WaitSamples } from './server-evidence.ts'

/** Looks at what every busy process of a Postgres server is at, again and again, and counts. */
export function activityTally(): {
  look(db: Pick<ClientBase, 'query'>): Promise<void>
  result(): PostgresEvidence['activity']
} {
  const tally = new Map<string, { wait: Omit<WaitSamples, 'samples'>; samples: number }>()
  let looks = 0
  return {
    async look(db) {
      const { rows } = await db.query<{ backend: string; application: string; event: string; n: string }>({
        name: 'activity',
        text: LOOK,
      })
      looks += 1
      for (const { backend, application, event, n } of rows) {
        const wait = { backend, pool: poolOf(application), event }
        const key = JSON.stringify(wait)
        tally.set(key, { wait, samples: (tally.get(key)?.samples ?? 0) + Number(n) })
      }
    },
    result() {
      const waits = [...tally.values()]
        .map(({ wait, samples }) => ({ ...wait, samples }))
        .sort((a, b) => b.samples - a.samples)
      return { looks, busySamples: waits.reduce((sum, { samples }) => sum + samples, 0), waits }
    },
  }
}

/** A background process waits in its main loop, `Activity`, or between two portions of work, `Timeout`, when it rests. */
const LOOK = `
  select backend_type as backend, application_name as application,
    coalesce(wait_event_type || ':' || wait_event, 'CPU') as event, count(*) as n
  from pg_stat_activity
  where pid <> pg_backend_pid()
    and case when backend_type = 'client backend' then state <> 'idle'
      else coalesce(wait_event_type, '') not in ('Activity', 'Timeout', 'Extension') end
  group by 1, 2, 3`

/** `hopwhistle-api api-1 ingest` is the pool `ingest`. */
function poolOf(application: string): string {
  return /^hopwhistle-api \S+ (\S+)$/.exec(application)?.[1] ?? application
}
