/**
 * Subscribers that use very little CPU: raw sockets that count messages. Most of them read 50 times a second, so that a
 * frame per message does not cost one read each. A few read at once and report the age of each message. Slow ones never
 * read. They do not use @hopwhistle/client, because it needs more CPU.
 */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { runAsChild } from '@hopwhistle/platform/child/run-as-child.ts'
import { latencyOf } from '../arithmetic.ts'
import { clientFrame, frameReader, OPCODE } from './frames.ts'
import { type LiveSystem, PROTOCOLS, sentTimes } from './protocol.ts'
import type { ReaderConfig, ReaderReport, ReaderRequest } from './reader-report.ts'

const EVERY_MS = 20
/** Shared by all: its content is read before it is filled again. */
const BUFFER = Buffer.allocUnsafe(256 * 1024)
const END_OF_HEAD = '\r\n\r\n'

type Reader = { received: number; closed: boolean }

runAsChild(async ({ system, ports, sockets, watched, slow }: ReaderConfig) => {
  let ages: number[] = []
  const waiting: Socket[] = []
  const read = (i: number, onMessages: (reader: Reader, text: string) => void, pause: boolean) =>
    subscribe(system, ports[i % ports.length]!, onMessages, pause ? (socket) => void waiting.push(socket) : undefined)
  const count = (reader: Reader, text: string) => {
    reader.received += PROTOCOLS[system].count(text)
  }
  const countAndAge = (reader: Reader, text: string) => {
    // Finer than Date.now(), so that a median of whole milliseconds does not hide a change of a tenth.
    const now = performance.timeOrigin + performance.now()
    for (const at of sentTimes(text)) ages.push(now - at)
    count(reader, text)
  }
  const readers = await Promise.all(
    Array.from({ length: sockets }, (_, i) => read(i, i < watched ? countAndAge : count, i >= watched)),
  )
  const slowOnes = await Promise.all(
    Array.from({ length: slow }, (_, i) => subscribeAndStop(system, ports[i % ports.length]!)),
  )
  setInterval(() => {
    for (const socket of waiting.splice(0)) socket.resume()
  }, EVERY_MS)

  let cpu = process.cpuUsage()
  const report = ({ keepAges = false }: ReaderRequest): ReaderReport => {
    const { user, system: kernel } = process.cpuUsage(cpu)
    cpu = process.cpuUsage()
    const received = readers.map((reader) => reader.received)
    const result = {
      received: received.reduce((sum, n) => sum + n, 0),
      least: Math.min(...received),
      most: Math.max(...received),
      closed: readers.filter(({ closed }) => closed).length,
      slowClosed: slowOnes.filter(({ closed }) => closed).length,
      age: ages.length === 0 ? undefined : latencyOf(ages),
      cpuSeconds: (user + kernel) / 1e6,
    }
    if (!keepAges) ages = []
    return result
  }
  return { ready: {}, answer: report }
})

/** @param pauseTo called with the socket after each read; resumes it when it should read again */
function subscribe(
  system: LiveSystem,
  port: number,
  onMessages: (reader: Reader, text: string) => void,
  pauseTo?: (socket: Socket) => void,
): Promise<Reader> {
  const { path, headers, hello, react } = PROTOCOLS[system]
  return new Promise((resolve, reject) => {
    const reader: Reader = { received: 0, closed: false }
    let upgraded = false
    let subscribed = false
    const send = (text: string) => void socket.write(clientFrame(OPCODE.text, Buffer.from(text)))
    const readFrames = frameReader((opcode, payload) => {
      if (opcode === OPCODE.ping) return void socket.write(clientFrame(OPCODE.pong, payload))
      if (opcode !== OPCODE.text) return
      const text = payload.toString('latin1')
      if (subscribed) onMessages(reader, text)
      const reaction = react(text)
      if (reaction?.send !== undefined) send(reaction.send)
      if (reaction?.subscribed) {
        subscribed = true
        resolve(reader)
      }
    })
    const socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer: () => BUFFER,
        callback: (length, buffer) => {
          let chunk = Buffer.from(buffer.buffer, buffer.byteOffset, length)
          if (!upgraded) {
            const end = chunk.indexOf(END_OF_HEAD)
            if (!chunk.toString('latin1', 0, 12).endsWith('101')) {
              reject(new Error(`no WebSocket: ${chunk.toString('latin1', 0, 200)}`))
              return false
            }
            upgraded = true
            for (const text of hello) send(text)
            chunk = chunk.subarray(end + END_OF_HEAD.length)
          }
          readFrames(chunk)
          if (!subscribed || pauseTo === undefined) return true
          pauseTo(socket)
          return false
        },
      },
    })
    socket.on('error', reject)
    socket.on('close', () => {
      reader.closed = true
      reject(new Error(`a subscriber of ${system} was closed before it was subscribed`))
    })
    socket.write(upgradeRequest(path, headers))
  })
}

/** Subscribes, and then never reads again. */
async function subscribeAndStop(system: LiveSystem, port: number): Promise<Reader> {
  return subscribe(
    system,
    port,
    () => {},
    () => {},
  )
}

function upgradeRequest(path: string, headers: Readonly<Record<string, string>>): string {
  const all = {
    host: '127.0.0.1',
    upgrade: 'websocket',
    connection: 'upgrade',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}
