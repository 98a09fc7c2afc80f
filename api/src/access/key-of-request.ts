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

/** The API key as the password of Basic authentication, or as its user when there is no password. */
export function keyOfBasicAuth({ authorization }: IncomingHttpHeaders): string | undefined {
  if (authorization === undefined || !/^basic /i.test(authorization)) return undefined
  const [user, ...password] = Buffer.from(authorization.slice('basic '.length), 'base64').toString().split(':')
  return password.join(':') || user || undefined
}
