/**
 * A server that publishes what is posted to it over WebSockets, to those of the same tenant, answers reports, and can be told to misbehave in every
 * way counted.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { CallEventBody } from '../../../contract/calls.ts'
import { HEADERS, ROUTES } from '../../../contract/routes.ts'
import { listen, reportAt } from './slow-server.ts'

export type Misbehaviour = {
  /** Messages of others, published in between: this many after every message. */
  readonly foreign?: number
  /** Every so many messages, one socket is cut off. */
  readonly cutEvery?: number
  /** Every so many frames, one is not sent to its socket; unless a farewell is in it, which says what was due. */
  readonly loseEvery?: number
  /** Every so many frames, one is sent twice. */
  readonly repeatEvery?: number
  /** Every so many posts, one is published but answered 503. */
  readonly failEvery?: number
}

export type LiveServer = {
  readonly url: string
  /** How many publishers have said that they are done. */
  farewells(): number
  close(): Promise<void>
}

type Message = { readonly offset: number; readonly eventId: string; readonly occurredAt: number; readonly line: string }
type Socket = { readonly ws: WebSocket; readonly log: readonly Message[]; sentTo: number }

const TICK_MS = 20

/** As `farewellId` makes them. */
const FAREWELL = /\.end\d+\.\d+\.\d+$/

export async function liveServer(misbehaviour: Misbehaviour = {}): Promise<LiveServer> {
  const epoch = 'e1'
  const logs = new Map<string, Message[]>()
  const sockets = new Set<Socket>()
  const stored = new Set<string>()
  const counted = { posts: 0, frames: 0, cuts: 0 }
  const isTurn = (count: number, every: number | undefined) => every !== undefined && count % every === 0

  function logOf({ headers }: IncomingMessage): Message[] {
    const tenantId = String(headers[HEADERS.tenantId])
    const log = logs.get(tenantId) ?? []
    logs.set(tenantId, log)
    return log
  }

  function publish(log: Message[], eventId: string, occurredAt: number): void {
    const offset = log.length + 1
    const message = { offset, type: 'call.initiated', eventId, callId: 'c', occurredAt, receivedAt: Date.now() }
    log.push({ offset, eventId, occurredAt, line: JSON.stringify({ ...message, outcome: 'applied' }) })
  }

  function send(socket: Socket): void {
    const { log } = socket
    const from = socket.sentTo + 1
    const messages = log.slice(socket.sentTo)
    if (messages.length === 0) return
    socket.sentTo = log.length
    const oldestAt = Math.min(...messages.map(({ occurredAt }) => occurredAt))
    const head = { type: 'events', epoch, from, to: log.length, count: messages.length, sentAt: Date.now(), oldestAt }
    const frame = [JSON.stringify(head), ...messages.map(({ line }) => line)].join('\n')
    counted.frames += 1
    const saysFarewell = messages.some(({ eventId }) => FAREWELL.test(eventId))
    if (isTurn(counted.frames, misbehaviour.loseEvery) && !saysFarewell) return
    socket.ws.send(frame)
    if (isTurn(counted.frames, misbehaviour.repeatEvery)) socket.ws.send(frame)
  }

  function onPost(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const event = JSON.parse(Buffer.concat(parts).toString()) as CallEventBody
      counted.posts += 1
      const isFirst = !stored.has(event.eventId)
      stored.add(event.eventId)
      if (isFirst) {
        const log = logOf(request)
        publish(log, event.eventId, Date.parse(event.occurredAt))
        for (let i = 0; i < (misbehaviour.foreign ?? 0); i++) publish(log, `other.${counted.posts}.${i}`, Date.now())
        if (isTurn(counted.posts, misbehaviour.cutEvery)) [...sockets][counted.cuts++ % sockets.size]?.ws.terminate()
      }
      const status = isTurn(counted.posts, misbehaviour.failEvery) ? 503 : isFirst ? 201 : 200
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    })
  }

  const server = createServer((request, response) => {
    if (request.method === 'POST') onPost(request, response)
    else
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reportAt(request.url ?? '')))
  })
  const live = new WebSocketServer({ server, path: ROUTES.live })
  live.on('connection', (ws, request) => {
    const log = logOf(request)
    const socket: Socket = { ws, log, sentTo: log.length }
    ws.on('message', (data) => {
      const { recover } = JSON.parse(String(data)) as { recover?: { offset: number } }
      socket.sentTo = recover?.offset ?? log.length
      ws.send(JSON.stringify({ type: 'subscribed', epoch, offset: socket.sentTo, recovered: true }))
      sockets.add(socket)
    })
    ws.on('close', () => sockets.delete(socket))
  })
  const ticking = setInterval(() => sockets.forEach(send), TICK_MS)
  await listen(server)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    farewells: () => [...stored].filter((eventId) => FAREWELL.test(eventId)).length,
    close: () =>
      new Promise((resolve) => {
        clearInterval(ticking)
        for (const client of live.clients) client.terminate()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
