import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { LIVE_PATTERN_ALL } from '../../contract/live.ts'
import { HEADERS, ROUTES } from '../../contract/routes.ts'

const SIGN_OF_LIFE_MS = 5_000

/**
 * A live subscriber over plain TCP. It ignores what it receives, so hundreds of them use little CPU. Unlike a WebSocket
 * it can `pause`, which stops reading. It sends pongs without being pinged.
 *
 * @throws when the upgrade is refused
 */
export async function rawSubscriber(apiUrl: string, apiKey: string): Promise<Socket> {
  const { hostname, port } = new URL(apiUrl)
  const socket = connect(Number(port), hostname)
  const upgrade = [
    `GET ${ROUTES.live} HTTP/1.1`,
    `host: ${hostname}`,
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    `sec-websocket-key: ${randomBytes(16).toString('base64')}`,
    `${HEADERS.apiKey}: ${apiKey}`,
  ]
  socket.write(`${upgrade.join('\r\n')}\r\n\r\n`)
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('data', (answer) => {
      if (String(answer).startsWith('HTTP/1.1 101')) resolve()
      else reject(new Error(`not let in: ${String(answer)}`))
    })
  })
  socket.on('error', () => {})
  socket.write(clientFrame(TEXT, JSON.stringify({ type: 'subscribe', patterns: [LIVE_PATTERN_ALL] })))
  const alive = setInterval(() => socket.write(clientFrame(PONG, '')), SIGN_OF_LIFE_MS).unref()
  socket.once('close', () => clearInterval(alive))
  return socket.resume()
}

const TEXT = 0x81
const PONG = 0x8a

/** Up to 125 bytes. A client must mask its frames; a mask of zeros leaves the payload unchanged. */
function clientFrame(opcode: number, text: string): Buffer {
  const payload = Buffer.from(text)
  return Buffer.concat([Buffer.from([opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}
