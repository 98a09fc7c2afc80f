/**
 * An HTTP/1.1 connection that uses very little CPU: a request is bytes that are ready to be sent, and only status and
 * length of an answer are read. It sends one request at a time, on a connection that stays open.
 */
import { connect } from 'node:net'

export type HttpConnection = {
  /** @param request the whole of it, head and body */
  send(request: string): void
  close(): void
}

const END_OF_HEAD = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)

/**
 * @param onAnswer called with the status of each answer once it is complete
 * @param onLost called once, when the connection ends before it is closed here
 */
export async function connectHttp(
  port: number,
  onAnswer: (status: number) => void,
  onLost: (error: Error) => void,
): Promise<HttpConnection> {
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let head = NOTHING as Buffer
  let status = 0
  let bodyLeft = 0
  let closing = false
  const lost = (error: Error) => {
    if (!closing) onLost(error)
    closing = true
  }

  socket.on('data', (chunk: Buffer) => {
    let data = head.length === 0 ? chunk : Buffer.concat([head, chunk])
    head = NOTHING
    while (data.length > 0) {
      if (bodyLeft === 0) {
        const end = data.indexOf(END_OF_HEAD)
        if (end < 0) {
          head = data
          return
        }
        const text = data.toString('latin1', 0, end)
        status = Number(text.slice(9, 12))
        bodyLeft = bodyLength(text)
        data = data.subarray(end + END_OF_HEAD.length)
        if (bodyLeft > 0 && data.length === 0) return
      }
      const taken = Math.min(bodyLeft, data.length)
      bodyLeft -= taken
      data = data.subarray(taken)
      if (bodyLeft === 0) onAnswer(status)
    }
  })
  socket.on('error', lost)
  socket.on('close', () => lost(new Error('the server closed the connection')))

  return {
    send: (request) => void socket.write(request, 'latin1'),
    close: () => {
      closing = true
      socket.destroy()
    },
  }
}

/** @throws {Error} for a chunked answer, whose end this cannot find */
function bodyLength(head: string): number {
  const at = head.indexOf('\r\ncontent-length: ')
  if (at >= 0) return Number.parseInt(head.slice(at + 18, at + 30), 10)
  if (/\r\ntransfer-encoding:/i.test(head)) throw new Error('an answer came in chunks')
  return Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
}
