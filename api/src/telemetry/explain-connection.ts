/** Why a server behind a setting was not reached, and what to do, in words that hold no secret. */

const TLS = 'name who signed its certificate, with'
const CA_OF: Readonly<Record<string, string>> = {
  DATABASE_URL: 'sslrootcert=FILE',
  DATABASE_REPLICA_URL: 'sslrootcert=FILE',
  REDIS_URL: 'REDIS_CA_FILE',
}

/** By SQLSTATE, by the code of Node's error, or by how the server's message begins. */
const REASONS: readonly (readonly [code: RegExp, reason: string, remedy: string])[] = [
  [/^(28P01|WRONGPASS)/, 'it does not accept the user or the password', 'correct the password, or set it for the role'],
  [/^NOAUTH/, 'it asks for a password', 'add the password to the URL'],
  [/^28000/, 'it does not let this user in', 'correct the user, or allow it in pg_hba.conf'],
  [/^3D000/, 'it has no such database', 'correct the name, or create the database and run db:migrate'],
  [/^(3F000|42P01|42883|42501)/, 'the schema is missing or older than this version', 'run db:migrate'],
  [/^53300/, 'it has no connection left', 'lower POSTGRES_POOL_SIZE or the number of instances'],
  [/^(57P0|55000)/, 'it is starting up or shutting down', 'wait until it is up'],
  [/^25006/, 'it is a standby, which takes no writes', 'let it lead to the primary, by a name that follows a failover'],
  [/^(ENOTFOUND|EAI_AGAIN)/, 'nobody knows a host of that name', 'correct the host, or the DNS of this machine'],
  [/^ECONNREFUSED/, 'nothing listens there', 'start the server, or correct host and port'],
  [/^(ECONNRESET|EPIPE)/, 'the connection was closed', 'look into the log of the server'],
  [
    /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|timeout|Connection terminated due to)/,
    'there was no answer in time',
    'open the way to it (firewall, network policy), or correct host and port',
  ],
  [/^ERR_TLS_CERT_ALTNAME_INVALID/, 'its certificate is for another name', 'use a name that the certificate has'],
  [/^CERT_HAS_EXPIRED/, 'its certificate has expired', 'renew the certificate'],
  [/^DATABASE_REPLICA_URL leads to a server/, 'it is no replica', 'let it lead to a replica, or leave it out'],
  [
    /^DATABASE_REPLICA_URL leads to a replica of/,
    'it is a replica of another primary than that of DATABASE_URL, or has not followed it through a failover or a restore',
    'correct one of the two, wait for its next restartpoint, or copy the primary to it',
  ],
  [/^(The server does not support SSL)/, 'it does not offer TLS', 'turn TLS on there, or leave out sslmode'],
]
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO/

export type Explanation = { readonly setting: string; readonly reason: string; readonly remedy: string }

/** @param setting the environment variable that names the server */
export function explainConnection(setting: string, error: unknown): Explanation {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  for (const text of [code, message]) {
    if (typeof text !== 'string') continue
    const known = REASONS.find(([pattern]) => pattern.test(text))
    if (known !== undefined) return { setting, reason: known[1], remedy: known[2] }
    if (text === code && CERTIFICATE.test(text)) {
      return { setting, reason: 'its certificate is not trusted', remedy: `${TLS} ${CA_OF[setting] ?? 'its CA'}` }
    }
  }
  const text = typeof code === 'string' ? code : String(message)
  return { setting, reason: `it failed with ${text}`, remedy: 'look into the log of the server' }
}

/** The same as one line. */
export const explained = ({ setting, reason, remedy }: Explanation) => `${setting}: ${reason}; ${remedy}`
