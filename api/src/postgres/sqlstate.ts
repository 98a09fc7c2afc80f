/**
 * What to do about an error of Postgres, by its SQLSTATE.
 *
 * again        the transaction lost a race; the same again will do
 * unavailable  the server or the way to it is gone; later may do. Whether the transaction was committed is unknown
 * data         something in what was sent cannot be stored; the rest of it can
 * broken       neither time nor other data helps: the schema or the permissions are not what this version needs
 */
export type Remedy = 'again' | 'unavailable' | 'data' | 'broken'

/** The longest prefix of the SQLSTATE decides. */
const REMEDIES: Readonly<Record<string, Remedy>> = {
  '08': 'unavailable', // connection exceptions
  '22': 'data', // data exceptions
  '23': 'data', // constraint violations
  '25006': 'unavailable', // read-only transaction: this server is no longer the primary
  '28': 'unavailable', // not let in: a password is being changed, or a new primary waits for its replica
  '40': 'again', // deadlock, serialization failure
  '40003': 'unavailable', // statement completion unknown
  '53': 'unavailable', // out of connections, memory or disk
  '54': 'data', // too complex, too large
  '55P03': 'again', // lock not available
  '57014': 'unavailable', // cancelled, by the statement timeout
  '57P': 'unavailable', // shutting down, crashed, starting up
  '58': 'unavailable', // the system beneath Postgres
  '0A000': 'again', // cached plan must not change result type: a migration ran
  '26000': 'again', // the prepared statement is gone: a connection pooler moved us
}

/** @param error what `pg` threw; what does not come from the server comes from the way to it */
export function remedyFor(error: unknown): Remedy {
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown }
  if (severity === undefined || typeof code !== 'string') return 'unavailable'
  return REMEDIES[code] ?? REMEDIES[code.slice(0, 3)] ?? REMEDIES[code.slice(0, 2)] ?? 'broken'
}
