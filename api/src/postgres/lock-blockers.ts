import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'

/** A session that holds, or asked earlier for, a lock that another one waits for. What may not be seen is null. */
export type Blocker = {
  /** 0: a prepared transaction. */
  readonly pid: number
  readonly application: string | null
  readonly role: string | null
  readonly address: string | null
  readonly state: string | null
  readonly backend: string | null
  readonly openSeconds: number | null
  /** What is waited for, such as "AccessExclusiveLock on hopwhistle.calls". */
  readonly lock: string
}

export type BlockerWatch = {
  /** Who was seen to block last; forgotten by reading it. */
  take(): readonly Blocker[]
  stop(): Promise<void>
}

const LOOK_EVERY_MS = 100
const SAY_AGAIN_AFTER_MS = 10_000

/**
 * Sees who blocks a session and says so: when it begins, when it is another, and every ten seconds.
 *
 * It looks over a connection of its own, because the session itself is waiting. Without one it says that it cannot see.
 */
export function watchBlockers(pid: number, connect: () => Promise<Client>, say: (line: string) => void): BlockerWatch {
  const stopped = new AbortController()
  let seen: readonly Blocker[] = []
  const pause = () =>
    sleep(LOOK_EVERY_MS, undefined, { signal: stopped.signal }).then(
      () => true,
      () => false,
    )
  const watching = watch().catch((error: Error) => say(`cannot see who holds locks: ${error.message}`))

  async function watch(): Promise<void> {
    let client: Client | undefined
    let said = ''
    let saidAt = 0
    try {
      while (await pause()) {
        client ??= await connect()
        const blockers = await findBlockers(client, pid)
        if (blockers.length === 0) continue
        seen = blockers
        const who = blockers.map((blocker) => blocker.pid).join()
        if (who === said && performance.now() - saidAt < SAY_AGAIN_AFTER_MS) continue
        said = who
        saidAt = performance.now()
        say(`waiting for ${blockers.map(renderBlocker).join('; and ')}`)
      }
    } finally {
      await client?.end().catch(() => {})
    }
  }

  return {
    take: () => {
      const last = seen
      seen = []
      return last
    },
    stop: () => {
      stopped.abort()
      return watching
    },
  }
}

/** The texts of queries stay where they are: they may hold what callers said. */
async function findBlockers(client: Client, pid: number): Promise<readonly Blocker[]> {
  const { rows } = await client.query<Blocker>(
    `select holder.pid, a.application_name as application, a.usename as role, host(a.client_addr) as address, a.state,
       a.backend_type as backend, extract(epoch from clock_timestamp() - a.xact_start)::float8 as "openSeconds",
       w.mode || ' on ' || coalesce(w.relation::regclass::text, w.locktype) as lock
     from pg_locks w
     cross join unnest(pg_blocking_pids(w.pid)) as holder (pid)
     left join pg_stat_activity a on a.pid = holder.pid
     where w.pid = $1 and not w.granted`,
    [pid],
  )
  return rows
}

export function renderBlocker({ pid, application, role, address, state, backend, openSeconds, lock }: Blocker): string {
  if (pid === 0) return `${lock}, held by a prepared transaction: see pg_prepared_xacts`
  const name = application || backend || 'unknown application'
  const from = [role && `role ${role}`, address && `from ${address}`].filter(Boolean).join(' ')
  const doing = state ?? backend ?? 'state not to be seen'
  const open = openSeconds === null ? '' : `, transaction open for ${renderSeconds(openSeconds)}`
  return `${lock}, held by pid ${pid} (${name}${from === '' ? '' : `, ${from}`}): ${doing}${open}`
}

function renderSeconds(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3600)} h`
}
