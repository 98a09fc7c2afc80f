import { setTimeout as sleep } from 'node:timers/promises'
import type { SubscriberReport, TrafficOrder } from './report.ts'

export type Subscriber = {
  /** Resolves when it is subscribed for the first time: what is sent from then on must come. */
  readonly subscribed: Promise<void>
  report(acknowledged: readonly number[]): SubscriberReport
  stop(): void
}

type Head = { type: string; epoch: string; offset: number; from: number; to: number; recovered: boolean }

/**
 * Follows a tenant's calls, comes back after every lost connection with its last offset, and holds the server to the
 * protocol: every frame begins where the one before it ended, unless the server says that messages may be lost.
 */
export function startSubscriber(base: string, { prefix, apiKey }: TrafficOrder): Subscriber {
  const received = new Set<number>()
  const closed: number[] = []
  const broken: string[] = []
  const counts = { repeated: 0, connections: 0, notRecovered: 0 }
  let position: { epoch: string; offset: number } | undefined
  let socket: WebSocket | undefined
  let stopped = false
  const first = Promise.withResolvers<void>()

  function onFrame(text: string): void {
    const [line = '', ...lines] = text.split('\n')
    const head = JSON.parse(line) as Head
    if (head.type === 'subscribed' || head.type === 'reset') {
      if (!head.recovered) counts.notRecovered += 1
      else if (position !== undefined && (head.epoch !== position.epoch || head.offset !== position.offset))
        broken.push(`recovered from offset ${head.offset}; the last one here was ${position.offset}`)
      position = { epoch: head.epoch, offset: head.offset }
      first.resolve()
    } else if (head.type === 'events') {
      if (head.from !== position!.offset + 1) broken.push(`a frame from ${head.from} after offset ${position!.offset}`)
      if (head.epoch !== position!.epoch) broken.push(`a frame of epoch ${head.epoch} in epoch ${position!.epoch}`)
      for (const message of lines) onMessage(JSON.parse(message) as { eventId: string })
      position = { epoch: head.epoch, offset: head.to }
    } else broken.push(`a ${head.type}: ${line}`)
  }
  function onMessage({ eventId }: { eventId: string }): void {
    if (!eventId.startsWith(`${prefix}-`)) return
    const event = Number(eventId.slice(prefix.length + 1))
    if (received.has(event)) counts.repeated += 1
    received.add(event)
  }
  function connect(): Promise<number> {
    return new Promise((resolve) => {
      const protocols = ['hopwhistle.v1', `hopwhistle.key.${apiKey}`]
      socket = new WebSocket(`${base.replace('http', 'ws')}/api/v1/live`, protocols)
      socket.onopen = () => {
        counts.connections += 1
        const recover = position === undefined ? {} : { recover: position }
        socket!.send(JSON.stringify({ type: 'subscribe', patterns: ['call.*'], ...recover }))
      }
      socket.onmessage = ({ data }) => onFrame(String(data))
      socket.onclose = ({ code }) => resolve(code)
    })
  }
  async function follow(): Promise<void> {
    while (!stopped) {
      closed.push(await connect())
      await sleep(100 + Math.random() * 200)
    }
  }
  void follow()

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
    stop: () => {
      stopped = true
      socket?.close()
    },
  }
}
