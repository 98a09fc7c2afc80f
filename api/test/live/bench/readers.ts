/** Raw sockets that subscribe to everything and read nothing but the heads of frames. */
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

const [count = '0', ...ports] = process.argv.slice(2)
let delivered = 0
let frames = 0
let subscribed = 0
let lateMs: number[] = []

/** A client's frame is masked; a mask of zeros leaves the text as it is. */
function maskedText(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | Buffer.byteLength(text), 0, 0, 0, 0]), Buffer.from(text)])
}

function read(port: number): void {
  const socket = connect(port, '127.0.0.1')
  socket.write(
    `GET /api/v1/live HTTP/1.1\r\nhost: bench\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\nx-api-key: k\r\n\r\n`,
  )
  let upgraded = false
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    if (!upgraded) {
      const end = data.indexOf('\r\n\r\n')
      if (end < 0) return
      upgraded = true
      data = data.subarray(end + 4)
      socket.write(maskedText('{"type":"subscribe","patterns":["call.*"]}'))
    }
    for (;;) {
      if (data.length < 4) break
      const short = data[1]! & 0x7f
      const header = short === 127 ? 10 : short === 126 ? 4 : 2
      if (data.length < header) break
      const length = short === 127 ? Number(data.readBigUInt64BE(2)) : short === 126 ? data.readUInt16BE(2) : short
      if (data.length < header + length) break
      if (data[0] === 0x81) onText(data.toString('latin1', header, Math.min(header + length, header + 200)))
      data = data.subarray(header + length)
    }
    rest = data
  })
  socket.on('close', () => {
    console.error('a reader was closed')
    process.exit(1)
  })
}

function onText(head: string): void {
  const at = head.indexOf('"count":')
  if (at < 0) {
    subscribed += 1
    if (subscribed === Number(count)) process.send?.('subscribed')
    return
  }
  delivered += Number.parseInt(head.slice(at + 8, at + 16), 10)
  frames += 1
  if (frames % 20 === 0) lateMs.push(Date.now() - Number(head.slice(head.indexOf('"oldestAt":') + 11).slice(0, 13)))
}

for (let i = 0; i < Number(count); i++) read(Number(ports[i % ports.length]))

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuSeconds: (user + system) / 1e6, systemSeconds: system / 1e6, delivered, frames, lateMs })
  lateMs = []
})

process.on('disconnect', () => process.exit(0))
