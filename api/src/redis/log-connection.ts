import type { Cluster, Redis } from 'ioredis'
import { explainConnection, explained } from '../telemetry/explain-connection.ts'
import type { Log } from '../telemetry/log.ts'

const SAME_AGAIN_MS = 10_000

/** `closing` says that from now on a lost connection is what we want. */
export type LoggedConnection = { closing(): void }

/**
 * Says when a connection comes and goes, and why, without repeating itself while Redis is away.
 *
 * Listening to `error` is what keeps it from ending the process. Only the code or message of an error is logged:
 * ioredis attaches the failed command, and that of a refused AUTH holds the password.
 */
export function logConnection(
  client: Redis | Cluster,
  role: string,
  log: Pick<Log, 'info' | 'warn'>,
): LoggedConnection {
  let lastReason = ''
  let lastAt = 0
  let wasUp = false
  let closing = false
  const failed = (error: Error & { code?: string }) => {
    const reason = error.code ?? (error.message || error.name)
    if (reason === lastReason && Date.now() - lastAt < SAME_AGAIN_MS) return
    lastReason = reason
    lastAt = Date.now()
    const why = explainConnection('REDIS_URL', error)
    log.warn({ connection: role, code: reason, ...why }, `Redis connection failed: ${explained(why)}`)
  }
  client.on('error', failed)
  client.on('node error', failed)
  client.on('nodeError', failed)
  client.on('ready', () => {
    lastReason = ''
    wasUp = true
    log.info({ connection: role }, 'Redis connected')
  })
  client.on('close', () => {
    if (wasUp && !closing) log.warn({ connection: role }, 'Redis connection lost; connecting again')
    wasUp = false
  })
  return {
    closing: () => {
      closing = true
    },
  }
}
