/** A real receiver of webhooks, which verifies every signature with the library that receivers are told to use. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'

export type Received = {
  readonly id: string
  readonly at: number
  readonly path: string
  readonly signatures: number
  readonly body: {
    readonly type: string
    readonly timestamp: string
    readonly offset: string
    // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects
    readonly data: any
  }
}

/** How it answers: a status, or the connection is left open, or reset. */
export type Behaviour = (received: Received) => number | 'hang' | 'reset' | Promise<number>

export type Receiver = {
  readonly url: string
  readonly port: number
  /** All requests, whatever they were answered. */
  readonly received: readonly Received[]
  /** Those answered with 2xx. */
  readonly accepted: readonly Received[]
  /** The most requests that it had at the same time, since the last question. */
  busiest(): number
  secret(value: string): void
  answer(behaviour: Behaviour): void
  close(): Promise<void>
}

export async function receiver(tls?: { readonly key: string; readonly cert: string }): Promise<Receiver> {
  const received: Received[] = []
  const accepted: Received[] = []
  const problems: unknown[] = []
  let behaviour: Behaviour = () => 204
  let verifier: Webhook | undefined
  let underWay = 0
  let busiest = 0

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    underWay += 1
    busiest = Math.max(busiest, underWay)
    response.on('close', () => {
      underWay -= 1
    })
    const raw = await text(request)
    try {
      verifier?.verify(raw, request.headers as Record<string, string>)
    } catch (error) {
      problems.push(error)
      response.writeHead(401).end()
      return
    }
    const one: Received = {
      id: String(request.headers['webhook-id']),
      at: performance.now(),
      path: request.url ?? '',
      signatures: String(request.headers['webhook-signature']).split(' ').length,
      body: JSON.parse(raw),
    }
    received.push(one)
    const answer = await behaviour(one)
    if (answer === 'reset') response.destroy()
    else if (answer !== 'hang') {
      if (answer < 300) accepted.push(one)
      response.writeHead(answer, answer === 302 ? { location: '/elsewhere' } : {}).end('ok')
    }
  }
  const listener: RequestListener = (request, response) => void handle(request, response).catch((e) => problems.push(e))
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/hook`,
    received,
    accepted,
    busiest: () => {
      const most = busiest
      busiest = underWay
      return most
    },
    secret: (value) => {
      verifier = new Webhook(value)
    },
    answer: (next) => {
      behaviour = next
    },
    close: async () => {
      if ('closeAllConnections' in server) (server.closeAllConnections as () => void)()
      server.close()
      await once(server, 'close')
      if (problems.length > 0) throw new AggregateError(problems, 'the receiver had problems')
    },
  }
}
