import type { QueryResultRow } from 'pg'
import { DatabaseUnavailable, RequestTimeout } from '../errors/catalogue.ts'
import type { ReadFrom, ReplicaMonitor } from '../postgres/replica-monitor.ts'
import { ReplicaLate } from '../postgres/replica-reads.ts'
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
 * What fails on one server is tried on the other, unless it simply took too long: a replica that is gone, or
 * cancels what stands in the way of its replay, costs the caller some milliseconds and never an error.
 *
 * @param inTurn runs the statement when its tenant's turn comes; waiting for a replica takes none
 * @throws {DatabaseUnavailable} no server could show it
 * @throws {RequestTimeout} the statement ran into its timeout
 */
export async function readReport<Row extends QueryResultRow>(
  replica: Pick<ReplicaMonitor, 'choose' | 'otherThan'>,
  statement: ReportStatement,
  position: WalPosition | undefined,
  queryTimeoutMs: number,
  inTurn: <T>(work: () => Promise<T>) => Promise<T> = (work) => work(),
): Promise<ReportRows<Row>> {
  let reader = await replica.choose(position)
  let attemptsMax = 2
  for (let attempt = 1; ; attempt++) {
    try {
      const from = reader
      return await inTurn(() => from.read<Row>({ ...statement, values: [...statement.values], types: AS_TEXT }))
    } catch (error) {
      if (attempt === 1 && ranIntoTimeout(error)) throw RequestTimeout(queryTimeoutMs)
      // Another replica than the first may have what that one lacks, should the primary be gone.
      if (error instanceof ReplicaLate) attemptsMax = 3
      const other = attempt < attemptsMax ? replica.otherThan(reader, position, error) : undefined
      if (other === undefined) throw unavailable(error)
      reader = other
    }
  }
}

/** Values as they came: most go into the answer as they are. */
export const AS_TEXT = { getTypeParser: () => (value: string) => value } as const

/** A conflict with recovery is also reported as 57014, and says nothing about how long the report would take elsewhere. */
function ranIntoTimeout(error: unknown): boolean {
  const { code, message = '' } = error as { readonly code?: string; readonly message?: string }
  return (code === '57014' && !message.includes('recovery')) || message === 'Query read timeout'
}

function unavailable(error: unknown): unknown {
  if (ranIntoTimeout(error)) return DatabaseUnavailable(error)
  const remedy = remedyFor(error)
  return remedy === 'again' || remedy === 'unavailable' ? DatabaseUnavailable(error) : error
}
