/**
 * Clients of the platform, inside the cluster: events at a steady rate and live subscribers. Told what to do by HTTP on
 * port 8080, one run after the other:
 *
 *   POST /start with a TrafficOrder   begins, and forgets the run before
 *   POST /stop                        ends the sending, once all that was sent is acknowledged; subscribers stay
 *   GET /report                       a TrafficReport
 *
 * Needs nothing but Node, which runs it as it stands, with the files of the client and of the contract that it imports.
 */
import { createServer } from 'node:http'
import { type Ingest, startIngest } from './ingest.ts'
import type { TrafficOrder, TrafficReport } from './report.ts'
import { type Subscriber, startSubscriber } from './subscriber.ts'

const PORT = 8080

let ingest: Ingest | undefined
let subscribers: readonly Subscriber[] = []

async function start(order: TrafficOrder): Promise<void> {
  await ingest?.stop()
  for (const each of subscribers) each.stop()
  subscribers = order.subscribeAt.map((base) => startSubscriber(base, order))
  await Promise.all(subscribers.map(({ subscribed }) => subscribed))
  ingest = startIngest(order)
}

function report(): TrafficReport {
  const { ledger } = ingest!
  return { ...ledger, subscribers: subscribers.map((each) => each.report(ledger.acknowledged)) }
}

async function answer(method: string, path: string, body: string): Promise<unknown> {
  if (method === 'POST' && path === '/start') return start(JSON.parse(body) as TrafficOrder)
  if (method === 'POST' && path === '/stop') return ingest?.stop()
  return ingest === undefined ? undefined : report()
}

const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  const value = await answer(request.method ?? '', request.url ?? '', body)
  response.setHeader('content-type', 'application/json').end(JSON.stringify(value ?? {}))
})
server.listen(PORT)
process.on('SIGTERM', () => process.exit(0))
