import { follow } from '../../client/src/follow.ts'
import type { SubscriberReport, TrafficOrder } from './report.ts'

export type Subscriber = {
  /** Resolves when it is subscribed for the first time: what is sent from then on must come. */
  readonly subscribed: Promise<void>
  report(acknowledged: readonly number[]): SubscriberReport
  stop(): void
}

/** Comes back soon, however often it is refused. */
const BACKOFF = { firstMs: 300, maxMs: 300 }
/** The client's code for a server that broke the protocol. */
const PROTOCOL_ERROR = 1002

/** Follows a tenant's calls with the client, which holds the server to the protocol, and writes down what came. */
export function startSubscriber(base: string, { prefix, apiKey }: TrafficOrder): Subscriber {
  const received = new Set<number>()
  const closed: number[] = []
  const broken: string[] = []
  const counts = { repeated: 0, connections: 0, notRecovered: 0 }
  const over = new AbortController()
  const first = Promise.withResolvers<void>()

  const items = follow(
    { url: base, apiKey },
    {
      backoff: BACKOFF,
      signal: over.signal,
      onConnection: (change) => {
        if (change.state === 'subscribed') {
          counts.connections += 1
          first.resolve()
        } else {
          closed.push(change.code)
          if (change.code === PROTOCOL_ERROR) broken.push(change.reason)
        }
      },
    },
  )
  void (async () => {
    for await (const item of items) {
      if (item.type === 'gap') counts.notRecovered += 1
      else onMessage(item.eventId)
    }
  })().catch((error: Error) => {
    broken.push(`it ended: ${error.message}`)
    first.reject(error)
  })
  function onMessage(eventId: string): void {
    if (!eventId.startsWith(`${prefix}-`)) return
    const event = Number(eventId.slice(prefix.length + 1))
    if (received.has(event)) counts.repeated += 1
    received.add(event)
  }

  return {
    subscribed: first.promise,
    report: (acknowledged) => ({
      url: base,
      received: received.size,
      missing: acknowledged.filter((event) => !received.has(event)),
      ...counts,
      closed,
      broken,
    }),
    stop: () => over.abort(),
  }
}
