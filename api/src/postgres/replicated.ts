/**
 * A commit that waits for synchronous replicas may stop waiting: on a timeout, a cancellation, a shutdown. Postgres then
 * reports success, and says in a warning only that the transaction may not be on the replicas.
 */
import type { Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg'
import { NotPrimary } from './primary-server.ts'

/** Committed on the primary, and perhaps nowhere else. */
export class NotReplicated extends Error {
  override readonly name = 'NotReplicated'
  constructor() {
    super('the commit stopped waiting for its synchronous replica; it may not be replicated')
  }
}

/** The routine of the server that gives the warning. Unlike its text, it is the same in every language. */
const WAITS_FOR_REPLICAS = 'SyncRepWaitForLSN'
/** Whether a notice is that warning. */
export const isUnreplicated = ({ routine }: { readonly routine?: string | undefined }): boolean =>
  routine === WAITS_FOR_REPLICAS

/** Connections of which the query under way was committed without its replicas. */
const unreplicated = new WeakSet<object>()

/** Listens for that warning on every connection of a pool. */
export function noticeUnreplicated(pool: Pick<Pool, 'on'>): void {
  pool.on('connect', (client: PoolClient) =>
    client.on('notice', (notice) => {
      if (isUnreplicated(notice)) unreplicated.add(client)
    }),
  )
}

/**
 * For upkeep that is done again when it is lost: a transaction that selects this does not wait for synchronous replicas,
 * which may be away for hours.
 *
 * @example `select ${COMMIT_HERE}, hopwhistle.forget_published($1)`
 */
export const COMMIT_HERE = `set_config('synchronous_commit', 'local', true)`

/**
 * Runs a query that commits, on a pool that `noticeUnreplicated` listens to.
 *
 * @param query a call of a procedure that commits: the wait of any other statement has no timeout
 * @throws {NotReplicated} when it was committed without waiting for its synchronous replicas to the end
 * @throws {NotPrimary} nothing was written, and the connection is closed: the next one may lead to the primary
 */
export async function queryReplicated<Row extends QueryResultRow>(
  pool: Pick<Pool, 'connect'>,
  query: QueryConfig,
): Promise<QueryResult<Row>> {
  const client = await pool.connect()
  let failed: Error | undefined
  // A connection that is taken out of the pool has nobody else who hears that it broke; the query fails as well.
  const heard = () => {}
  client.on('error', heard)
  try {
    unreplicated.delete(client)
    const result = await client.query<Row>(query)
    if (unreplicated.has(client)) throw new NotReplicated()
    return result
  } catch (error) {
    failed = isReadOnly(error) ? new NotPrimary({ cause: error }) : (error as Error)
    throw failed
  } finally {
    client.off('error', heard)
    client.release(isBroken(failed))
  }
}

/** A pooler led the connection to a standby, or the server was made read-only. */
const isReadOnly = (error: unknown): boolean => (error as { readonly code?: unknown }).code === '25006'

/** After an ERROR of the server a connection can be used again; after anything else it cannot. */
const isBroken = (error: (Error & { readonly severity?: string }) | undefined): boolean =>
  error !== undefined && !(error instanceof NotReplicated) && error.severity !== 'ERROR'
