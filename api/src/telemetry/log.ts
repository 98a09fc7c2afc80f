import type { DestinationStream, Logger } from 'pino'
import { destination, pino, stdTimeFunctions } from 'pino'

export type Log = Logger

/** Keys, passwords and personal numbers, wherever a careless line might put them. */
const REDACTED = [
  'apiKey',
  'password',
  'connectionString',
  'from',
  'to',
  '*.apiKey',
  '*.password',
  '*.connectionString',
  '*.from',
  '*.to',
  'headers["x-api-key"]',
  'headers.authorization',
  'headers["sec-websocket-protocol"]',
  'req.headers["x-api-key"]',
  'req.headers.authorization',
  'req.headers["sec-websocket-protocol"]',
]

/** What a log may say of an error: never `detail` and the like, where Postgres quotes whole rows. */
function errorForLog(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) }
  const { code } = error as { code?: unknown }
  return {
    type: error.name,
    message: error.message,
    // Of an error without frames it would be the name and the message again.
    ...(error.stack?.includes('\n    at ') === true ? { stack: error.stack } : {}),
    ...(code === undefined ? {} : { code }),
    ...(error.cause === undefined ? {} : { cause: errorForLog(error.cause) }),
  }
}

const STDOUT = 1

/**
 * Standard output. When it cannot be written to, as on a full disk, lines are lost and nothing else: an error that is
 * not listened to would end the process, and what waits to be written would keep it from ending.
 */
function standardOutput(): DestinationStream {
  let stream = open()
  function open() {
    const opened = destination({ dest: STDOUT, sync: false })
    opened.once('error', () => {
      opened.destroy()
      stream = open()
    })
    opened.on('error', () => {})
    return opened
  }
  return { write: (line) => stream.write(line) }
}

/** JSON lines, on stdout by default. Requests are logged by route, never with bodies, query strings or keys. */
export function createLog(
  settings: { readonly level: string; readonly instanceId: string },
  into: DestinationStream = standardOutput(),
): Log {
  const options = {
    level: settings.level,
    base: { instance: settings.instanceId },
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: REDACTED, censor: '[redacted]' },
    serializers: {
      req: (req: { method: string; routeOptions?: { url?: string }; id: string }) => ({
        id: req.id,
        method: req.method,
        route: req.routeOptions?.url ?? 'unknown',
      }),
      res: (res: { statusCode: number }) => ({ status: res.statusCode }),
      err: errorForLog,
    },
  }
  return pino(options, into)
}
