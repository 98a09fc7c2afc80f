/**
 * Reads statements on the standbys behind DATABASE_REPLICA_URL, and knows of each answer how far its server had replayed.
 *
 * Any number of standbys may be behind one address, each as far as it is: what one connection says tells nothing about
 * another. So the position is asked for on the connection that reads, before the statement and in the same packets:
 *
 *   Parse, Bind, Execute the question · Parse, Bind, Describe, Execute the statement · Sync
 *
 * Two statements, because Postgres takes a snapshot for each when it begins: the second sees what the first says is
 * replayed. Asked within the statement, the position could be ahead of what the statement sees.
 *
 * A server only moves forward, so an answer holds for its connection from then on. The question is left out until the
 * answer is older than `askEveryMs`, or not enough.
 */
import pg from 'pg'
import type { WalPosition } from './wal-position.ts'
import { parseWalPosition } from './wal-position.ts'

/** The standby that was read is not as far as it must be; another one may be. */
export class ReplicaLate extends Error {
  override readonly name = 'ReplicaLate'
  /** It is too late for everyone: its connection is closed, so that the next one may lead elsewhere. */
  readonly leave: boolean
  constructor(message: string, leave: boolean) {
    super(message)
    this.leave = leave
  }
}

export type ReplicaReads = {
  /**
   * @param refuse why a server that has replayed that much must not be read
   * @param lost aborted when the servers need not be waited for any longer
   * @throws {ReplicaLate} what `refuse` said; otherwise what `pg` throws
   */
  read<Row>(
    query: pg.QueryConfig,
    refuse: (replayed: WalPosition) => ReplicaLate | undefined,
    lost: AbortSignal,
  ): Promise<{ readonly rows: readonly Row[]; readonly replayed: WalPosition }>
}

export type ReplicaReadsOptions = {
  readonly askEveryMs: number
  /** A server that takes longer to say how far it is has vanished. */
  readonly answerTimeoutMs: number
  /** A server does not answer. The caller aborts the signal that it gave as `lost`, so that no report waits for it. */
  readonly onSilent: (error: Error) => void
}

/** A server that was promoted still knows what it had replayed, and is no replica any more. */
export const REPLAYED = {
  name: 'replayed',
  text: 'select case when pg_is_in_recovery() then pg_last_wal_replay_lsn()::text end as position',
} as const

/** @throws for what `REPLAYED` answers on a server that is not a standby */
export function replayedOf(position: string | null | undefined): WalPosition {
  const replayed = parseWalPosition(position ?? '')
  if (replayed === undefined) throw new Error('DATABASE_REPLICA_URL leads to a server that is not a replica')
  return replayed
}

export function createReplicaReads(pool: pg.Pool, options: ReplicaReadsOptions): ReplicaReads {
  const known = new WeakMap<pg.PoolClient, { readonly replayed: WalPosition; readonly atMs: number }>()

  async function connect(lost: AbortSignal): Promise<pg.PoolClient> {
    const connecting = pool.connect()
    return unlessLost(connecting, lost).catch((error) => {
      connecting.then(
        (client) => client.release(),
        () => {},
      )
      throw error
    })
  }

  /** The position is known once the rows are. */
  async function ask<Row>(client: pg.PoolClient, query: pg.QueryConfig, lost: AbortSignal) {
    const atMs = performance.now()
    let position: string | null = null
    const silent = () => options.onSilent(new Error('a replica does not say how far it is'))
    const timer = setTimeout(silent, options.answerTimeoutMs)
    const reading = send<Row>(client, query, (answer) => {
      clearTimeout(timer)
      position = answer
    })
    const rows = await unlessLost(reading, lost).finally(() => clearTimeout(timer))
    const replayed = replayedOf(position)
    known.set(client, { replayed, atMs })
    return { rows, replayed }
  }

  return {
    read: async (query, refuse, lost) => {
      const client = await connect(lost)
      let failed: unknown
      try {
        const before = known.get(client)
        const isEnough =
          before !== undefined &&
          performance.now() - before.atMs <= options.askEveryMs &&
          refuse(before.replayed) === undefined
        const answer = isEnough
          ? { rows: await unlessLost(send<never>(client, query), lost), replayed: before.replayed }
          : await ask<never>(client, query, lost)
        const late = refuse(answer.replayed)
        if (late !== undefined) throw late
        return answer
      } catch (error) {
        failed = error
        throw error
      } finally {
        client.release(failed !== undefined && !(failed instanceof ReplicaLate && !failed.leave))
      }
    },
  }
}

/** What `pg` has, and its types do not. */
type Sent = pg.Submittable & {
  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void
  handleCommandComplete(message: unknown, connection: Wire): void
}
type Wire = {
  readonly stream: { cork(): void; uncork(): void }
  readonly parsedStatements: Record<string, string>
  parse(statement: { readonly name: string; readonly text: string }): void
  bind(portal: { readonly statement: string }): void
  execute(portal: object): void
}

/** @param heard what `REPLAYED` answered just before; absent: it is not asked */
function send<Row>(
  client: pg.PoolClient,
  config: pg.QueryConfig,
  heard?: (position: string | null) => void,
): Promise<readonly Row[]> {
  return new Promise((resolve, reject) => {
    const query = new pg.Query(config, (error, result) =>
      error ? reject(error) : resolve(result.rows as unknown as readonly Row[]),
    )
    if (heard !== undefined) askBefore(query as unknown as Sent, heard)
    client.query(query)
  })
}

/** Sends the question in front of the query, and keeps its answer from it. */
function askBefore(query: Sent, heard: (position: string | null) => void): void {
  const { submit, handleDataRow, handleCommandComplete } = query
  let answered = false
  query.submit = (connection) => {
    const wire = connection as unknown as Wire
    wire.stream.cork()
    try {
      if (wire.parsedStatements[REPLAYED.name] === undefined) {
        wire.parse(REPLAYED)
        wire.parsedStatements[REPLAYED.name] = REPLAYED.text
      }
      wire.bind({ statement: REPLAYED.name })
      wire.execute({})
      return submit.call(query, connection)
    } finally {
      wire.stream.uncork()
    }
  }
  query.handleDataRow = (message) => (answered ? handleDataRow.call(query, message) : heard(message.fields[0] ?? null))
  query.handleCommandComplete = (message, connection) => {
    if (answered) handleCommandComplete.call(query, message, connection)
    answered = true
  }
}

/** A server that vanished leaves a query waiting for half a minute; that it did is known within seconds. */
function unlessLost<T>(answer: Promise<T>, lost: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(lost.reason)
    if (lost.aborted) giveUp()
    lost.addEventListener('abort', giveUp, { once: true })
    answer.then(resolve, reject).finally(() => lost.removeEventListener('abort', giveUp))
  })
}
