import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { LIVE_CLOSE, LIVE_KEY_SUBPROTOCOL_PREFIX } from '@hopwhistle/contract/live.ts'
import type { WebSocketServer } from 'ws'
import type { Problem } from '../errors/problem.ts'
import { endWithProblem } from '../http/problem-on-connection.ts'

const CLOSE_GRACE_MS = 1_000

/**
 * Answers an upgrade that is refused: with the problem, as any other route would.
 *
 * A browser hides that answer from its program, which sees 1006 as when the network fails, and would try for ever. So
 * a page whose key is refused is given its socket, and that is closed at once: the code says that trying again is no use,
 * the reason is the code of the problem. What may be different later is refused as ever.
 */
export function refuse(
  server: WebSocketServer,
  request: IncomingMessage,
  connection: Duplex,
  head: Buffer,
  problem: Problem,
): void {
  const code = closeCode(problem)
  if (code === undefined || !isFromPage(request) || connection.destroyed)
    return void endWithProblem(connection, problem)
  server.handleUpgrade(request, connection, head, (ws) => {
    ws.on('error', () => {})
    ws.close(code, problem.code)
    setTimeout(() => ws.terminate(), CLOSE_GRACE_MS).unref()
  })
}

/** Only a browser sends its page's origin, and only it has no other place for a key than a subprotocol. */
function isFromPage({ headers }: IncomingMessage): boolean {
  return (
    headers.origin !== undefined || headers['sec-websocket-protocol']?.includes(LIVE_KEY_SUBPROTOCOL_PREFIX) === true
  )
}

/** @returns undefined where another try may succeed, or where it is not a WebSocket that was asked for */
function closeCode({ status }: Problem): number | undefined {
  if (status === 401) return LIVE_CLOSE.unauthorized
  if (status === 403) return LIVE_CLOSE.forbidden
  return undefined
}
