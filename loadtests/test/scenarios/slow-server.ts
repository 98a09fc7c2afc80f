/** A server that answers what the request scenarios ask, after a random time: for measuring what k6 measures. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CallEventBody } from '../../../contract/calls.ts'

export type SlowServer = {
  readonly url: string
  /** Every event posted, in the order received. */
  readonly events: CallEventBody[]
  /** Every path asked for with GET, with its query. */
  readonly paths: string[]
  close(): Promise<void>
}

/** @param delayMs how long the next answer takes */
export async function slowServer(delayMs: () => number): Promise<SlowServer> {
  const events: CallEventBody[] = []
  const paths: string[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    const answer = (status: number, body: object) =>
      setTimeout(
        () => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
        delayMs(),
      )
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      if (request.method === 'POST') {
        const event = JSON.parse(Buffer.concat(parts).toString()) as CallEventBody
        events.push(event)
        answer(201, { eventId: event.eventId, outcome: 'applied' })
        return
      }
      paths.push(request.url ?? '')
      answer(200, reportAt(request.url ?? ''))
    })
  })
  await listen(server)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    events,
    paths,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** What suits any report; a list of calls has four pages. */
export function reportAt(url: string): object {
  const page = new URL(url, 'http://localhost').searchParams.get('cursor') ?? '0'
  const nextCursor = Number(page) < 3 ? String(Number(page) + 1) : null
  const provenance = { source: 'replica', asOf: new Date().toISOString() }
  return { ...provenance, calls: [], nextCursor, totals: {}, buckets: [{}] }
}

export const listen = (server: Server): Promise<void> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
