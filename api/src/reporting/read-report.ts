import type { QueryResultRow } from 'pg'
import { DatabaseUnavailable, RequestTimeout } from '../errors/catalogue.ts'
import type { ReadFrom, ReplicaMonitor } from '../postgres/replica-monitor.ts'
import { remedyFor } from '../postgres/sqlstate.ts'
import type { WalPosition } from '../postgres/wal-position.ts'

/** One statement of a report; every value of its rows arrives as the text that Postgres sent. */
export type ReportStatement = {
  /** Names the prepared statement: the same name, the same text. Absent: planned for these very values. */
  readonly name?: string
  readonly text: string
  readonly values: readonly unknown[]
}

export type ReportRows<Row> = { readonly rows: readonly Row[]; readonly from: ReadFrom }

/**
 * Reads a report in one round trip, from the replica when it shows `position`, else from the primary.
 *
 * What fails on one server is tried once on the other, unless it simply took too long: a replica that is gone, or
 * cancels what stands in the way of its replay, costs the caller some milliseconds and never an error.
 *
 * @throws {DatabaseUnavailable} no server could show it
 * @throws {RequestTimeout} the statement ran into its timeout
 */
export async function readReport<Row extends QueryResultRow>(
  replica: Pick<ReplicaMonitor, 'choose' | 'otherThan'>,
  statement: ReportStatement,
  position: WalPosition | undefined,
  queryTimeoutMs: number,
): Promise<ReportRows<Row>> {
  const first = await replica.choose(position)
  try {
    return { rows: await run<Row>(first, statement), from: first }
  } catch (error) {
    if (ranIntoTimeout(error)) throw RequestTimeout(queryTimeoutMs)
    const other = replica.otherThan(first, position)
    if (other === undefined) throw unavailable(error)
    return { rows: await run<Row>(other, statement).catch((again) => Promise.reject(unavailable(again))), from: other }
  }
}

/** Values as they came: most go into the answer as they are. */
const AS_TEXT = { getTypeParser: () => (value: string) => value } as const

async function run<Row extends QueryResultRow>(from: ReadFrom, statement: ReportStatement): Promise<readonly Row[]> {
  const answer = from.pool.query<Row>({ ...statement, values: [...statement.values], types: AS_TEXT })
  const { rows } = await (from.lost === undefined ? answer : unlessLost(answer, from.lost))
  return rows
}

/** A server that vanished leaves a query waiting for half a minute; that it did, the monitor knows within seconds. */
function unlessLost<T>(answer: Promise<T>, lost: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(lost.reason)
    if (lost.aborted) giveUp()
    lost.addEventListener('abort', giveUp, { once: true })
    answer.then(resolve, reject).finally(() => lost.removeEventListener('abort', giveUp))
  })
}

/** A conflict with recovery is also told as 57014, and is no reason to believe that it would take as long elsewhere. */
function ranIntoTimeout(error: unknown): boolean {
  const { code, message = '' } = error as { readonly code?: string; readonly message?: string }
  return (code === '57014' && !message.includes('recovery')) || message === 'Query read timeout'
}

function unavailable(error: unknown): unknown {
  if (ranIntoTimeout(error)) return DatabaseUnavailable(error)
  const remedy = remedyFor(error)
  return remedy === 'again' || remedy === 'unavailable' ? DatabaseUnavailable(error) : error
}
