import { LIVE_KEY_SUBPROTOCOL_PREFIX, LIVE_SUBPROTOCOL } from '../../contract/live.ts'
import { ROUTES } from '../../contract/routes.ts'

/** Which platform, and as whom. */
export type Connection = {
  /** Where the API is, for example `https://calls.example.com`; a path before the routes is kept. */
  readonly url: string
  readonly apiKey: string
  /** Used instead of the global `fetch`, for example for a proxy or a connection pool of one's own. */
  readonly fetch?: typeof globalThis.fetch
}

export type ParsedConnection = {
  /** Without a slash at the end. */
  readonly baseUrl: string
  readonly headers: Readonly<Record<string, string>>
  readonly fetch: typeof globalThis.fetch
  readonly liveUrl: string
  readonly liveProtocols: readonly string[]
}

/** What a header and a WebSocket subprotocol may both hold (a token of RFC 9110). Every key of the platform is one. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** @throws {TypeError} which part of it is wrong; never quotes the key */
export function parseConnection(connection: Connection): ParsedConnection {
  const { apiKey } = connection
  const url = URL.parse(connection.url)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new TypeError(`url is "${connection.url}"; it must begin with http:// or https://`)
  if (typeof apiKey !== 'string' || apiKey === '') throw new TypeError('apiKey is empty: pass a key of the platform')
  if (!TOKEN.test(apiKey)) throw new TypeError('apiKey has characters that no key has, such as spaces or line ends')
  const baseUrl = `${url.origin}${url.pathname}`.replace(/\/+$/, '')
  return {
    baseUrl,
    // fetch takes this header away when a redirect leads to another origin; `x-api-key` it would send along.
    headers: { authorization: `Bearer ${apiKey}` },
    // Looked up for each call, and called without a receiver, which browsers insist on.
    fetch: connection.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    liveUrl: `${baseUrl.replace(/^http/, 'ws')}${ROUTES.live}`,
    liveProtocols: [LIVE_SUBPROTOCOL, `${LIVE_KEY_SUBPROTOCOL_PREFIX}${apiKey}`],
  }
}
