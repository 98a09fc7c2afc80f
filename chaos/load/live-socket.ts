import { LIVE_KEY_SUBPROTOCOL_PREFIX, LIVE_SUBPROTOCOL } from '../../contract/live.ts'
import { ROUTES } from '../../contract/routes.ts'

/** Opens a live connection, as a browser does: with the key among the subprotocols. */
export function liveSocket(apiUrl: string, apiKey: string): WebSocket {
  const protocols = [LIVE_SUBPROTOCOL, `${LIVE_KEY_SUBPROTOCOL_PREFIX}${apiKey}`]
  return new WebSocket(`${apiUrl.replace('http', 'ws')}${ROUTES.live}`, protocols)
}
