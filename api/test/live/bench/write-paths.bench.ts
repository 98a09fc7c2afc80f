/**
 * Two ways to hand the same text to many WebSockets, in CPU microseconds of the writer for each frame:
 *
 *   send   `ws.send(payload)` on each: a header is made, and two buffers are written
 *   write  the whole frame, made once, written to each connection
 *
 *   node api/test/live/bench/write-paths.bench.ts [--sockets=200] [--bytes=2500] [--seconds=3]
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type WebSocket, WebSocketServer } from 'ws'
import { textFrame } from '../../../src/live/frame.ts'

const { values } = parseArgs({
  options: {
    sockets: { type: 'string', default: '200' },
    bytes: { type: 'string', default: '2500' },
    seconds: { type: 'string', default: '3' },
  },
})
const TICK_MS = 20
const text = `{"type":"events","epoch":"e","from":1,"to":1,"count":1,"sentAt":0,"oldestAt":0}`.padEnd(
  Number(values.bytes),
)
const payload = Buffer.from(text)
const frame = textFrame(text)

const clients: { ws: WebSocket; connection: Duplex }[] = []
const server = createServer()
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
server.on('upgrade', (request, connection, head) =>
  sockets.handleUpgrade(request, connection, head, (ws) => {
    ws.on('message', () => ws.send('{"type":"subscribed"}'))
    clients.push({ ws, connection })
  }),
)
await once(server.listen(0, '127.0.0.1'), 'listening')
const readers = fork(new URL('./readers.ts', import.meta.url), [
  values.sockets,
  String((server.address() as AddressInfo).port),
])
await once(readers, 'message')

const ways = {
  send: () => {
    for (const { ws } of clients) ws.send(payload, { binary: false })
  },
  write: () => {
    for (const { connection } of clients) connection.write(frame)
  },
}
for (let round = 0; round < 4; round++) {
  for (const [name, way] of Object.entries(ways)) {
    let frames = 0
    const timer = setInterval(() => {
      way()
      frames += clients.length
    }, TICK_MS)
    await sleep(500)
    const before = process.cpuUsage()
    const framesBefore = frames
    await sleep(Number(values.seconds) * 1000)
    const { user, system } = process.cpuUsage(before)
    clearInterval(timer)
    const per = (us: number) => (us / (frames - framesBefore)).toFixed(1)
    if (round > 0)
      console.log(`${name.padEnd(5)} ${per(user + system)} µs a frame (user ${per(user)}, system ${per(system)})`)
  }
}
readers.disconnect()
process.exit(0)
