/**
 * Knows which server DATABASE_URL leads to.
 *
 * Every connection to it is greeted before it is used, so that one to a standby is never handed out: after a failover behind
 * the same name, the next attempt finds the new primary. A connection pooler in between may still change the server behind a
 * connection, so the regular question where the primary is tells the same again.
 */
import type { ClientBase, Pool } from 'pg'
import type { WalPosition } from './wal-position.ts'
import { parseWalPosition } from './wal-position.ts'

/** The server takes no writes, for it follows another one. Nothing was written. */
export class NotPrimary extends Error {
  override readonly name = 'NotPrimary'
  /** As Postgres has it for a write on such a server. */
  readonly code = '25006'
  constructor(options?: ErrorOptions) {
    super(
      'DATABASE_URL leads to a standby, which takes no writes; let it lead to the primary, by a name that follows a failover',
      options,
    )
  }
}

/** What a server says of itself. */
export type Greeting = {
  readonly standby: boolean
  /** Made with the database, and the same on its standbys. */
  readonly system: string
  /** Of a primary: how far it has written. */
  readonly position: WalPosition | undefined
  /** A failover and a restore begin another. Of a standby: as of its last restartpoint, or later. */
  readonly timeline: number
}

export type PrimaryServer = {
  /** @returns how far it is @throws {NotPrimary} */
  greet(client: Pick<ClientBase, 'query'>): Promise<WalPosition>
  /** The same over a connection of the pool; one that leads to a standby is closed. */
  ask(pool: Pick<Pool, 'connect'>): Promise<WalPosition>
  /** Whose log positions are of: `system/timeline`; undefined before its first answer. */
  history(): string | undefined
  /** Whether a standby has followed it to its timeline. True before its first answer: nobody can tell. */
  isFollowedBy(standby: Greeting): boolean
  /** True from an answer of a standby on, until a primary answers. */
  isStandby(): boolean
}

const ANSWER_TIMEOUT_MS = 2_000

/** Flushed, not inserted: what is not flushed never reaches a replica. */
const TEXT = `
select pg_is_in_recovery() as standby, system_identifier::text as system,
  case when not pg_is_in_recovery() then pg_current_wal_flush_lsn()::text end as position,
  case when pg_is_in_recovery()
    then (select greatest(timeline_id, min_recovery_end_timeline) from pg_control_checkpoint(), pg_control_recovery())
    else ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::integer
  end as timeline
from pg_control_system()`

export async function greet(client: Pick<ClientBase, 'query'>): Promise<Greeting> {
  const query = { text: TEXT, query_timeout: ANSWER_TIMEOUT_MS }
  const { rows } = await client.query<{ standby: boolean; system: string; position?: string; timeline: number }>(query)
  const { standby = true, system = '', position, timeline = 0 } = rows[0] ?? {}
  return { standby, system, position: parseWalPosition(position ?? ''), timeline }
}

/** @param onHistory called when it has another history than before */
export function createPrimaryServer(onHistory: () => void = () => {}): PrimaryServer {
  let known: Pick<Greeting, 'system' | 'timeline'> | undefined
  let isStandby = false

  async function greetPrimary(client: Pick<ClientBase, 'query'>): Promise<WalPosition> {
    const { standby, system, position, timeline } = await greet(client)
    isStandby = standby
    if (standby || position === undefined) throw new NotPrimary()
    const isAnother = known?.system !== system || known.timeline !== timeline
    known = { system, timeline }
    if (isAnother) onHistory()
    return position
  }

  return {
    greet: greetPrimary,
    ask: async (pool) => {
      const client = await pool.connect()
      let failed = true
      try {
        const position = await greetPrimary(client)
        failed = false
        return position
      } finally {
        client.release(failed)
      }
    },
    history: () => known && `${known.system}/${known.timeline}`,
    isFollowedBy: ({ system, timeline }) =>
      known === undefined || (known.system === system && known.timeline <= timeline),
    isStandby: () => isStandby,
  }
}
