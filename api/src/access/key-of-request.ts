import type { IncomingHttpHeaders } from 'node:http'
import { LIVE_KEY_SUBPROTOCOL_PREFIX } from '@hopwhistle/contract/live.ts'
import { HEADERS } from '@hopwhistle/contract/routes.ts'

/** The API key of a request: its own header, a bearer token, or (WebSockets from browsers) a subprotocol. */
export function keyOfRequest(headers: IncomingHttpHeaders): string | undefined {
  const own = headers[HEADERS.apiKey]
  if (typeof own === 'string' && own !== '') return own
  const bearer = headers.authorization
  if (bearer !== undefined && /^bearer /i.test(bearer)) return bearer.slice('bearer '.length).trim() || undefined
  return headers['sec-websocket-protocol']
    ?.split(',')
    .map((p) => p.trim())
    .find((p) => p.startsWith(LIVE_KEY_SUBPROTOCOL_PREFIX))
    ?.slice(LIVE_KEY_SUBPROTOCOL_PREFIX.length)
}
