import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TrafficOrder, TrafficReport } from './report.ts'

/**
 * Each sender keeps a connection of its own, so that they spread over the pods behind a Service, for so many events: then
 * it connects anew, so that pods that have come since get their share.
 */
const EVENTS_PER_CONNECTION = 50
const LEAST_SENDERS = 6
/** A connection carries one event at a time. */
const EVENTS_PER_SECOND_AND_SENDER = 10
const LOOK_EVERY_MS = 5
const RETRY_MS = 200
const STATES = ['INITIATED', 'RINGING', 'ANSWERED', 'COMPLETED']
const ANSWER_WITHIN_MS = 10_000

export type Ingest = {
  readonly ledger: Pick<TrafficReport, 'sent' | 'acknowledged' | 'failures' | 'slowestMs'>
  /** Resolves when every event that was sent is acknowledged. */
  stop(): Promise<void>
}

/**
 * Sends call events at a steady rate, however long the answers take, and keeps a ledger of what was acknowledged. Four
 * events make a call. What is not acknowledged is sent again, with the same id, as a telephony provider does.
 */
export function startIngest(order: TrafficOrder): Ingest {
  const senders = Math.max(LEAST_SENDERS, Math.ceil(order.ratePerSecond / EVENTS_PER_SECOND_AND_SENDER))
  const agents = Array.from({ length: senders }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  const acknowledged: number[] = []
  const failures: { event: number; at: string; what: string }[] = []
  const ledger = { sent: 0, acknowledged, failures, slowestMs: 0 }
  const underWay = new Set<Promise<void>>()

  async function deliver(event: number): Promise<void> {
    const startedAt = performance.now()
    const isLast =
      (Math.floor(event / senders) + (event % senders)) % EVENTS_PER_CONNECTION === EVENTS_PER_CONNECTION - 1
    const body = JSON.stringify({
      eventId: `${order.prefix}-${event}`,
      callId: `${order.prefix}-call-${Math.floor(event / STATES.length)}`,
      state: STATES[event % STATES.length],
      occurredAt: new Date().toISOString(),
    })
    for (;;) {
      const what = await post(order, body, agents[event % senders]!, isLast)
      if (what === undefined) break
      failures.push({ event, at: new Date().toISOString(), what })
      await sleep(RETRY_MS)
    }
    acknowledged.push(event)
    ledger.slowestMs = Math.max(ledger.slowestMs, Math.round(performance.now() - startedAt))
  }
  const beganAt = performance.now()
  const timer = setInterval(() => {
    const due = ((performance.now() - beganAt) / 1000) * order.ratePerSecond
    for (; ledger.sent < due; ledger.sent += 1) {
      const delivery: Promise<void> = deliver(ledger.sent).finally(() => underWay.delete(delivery))
      underWay.add(delivery)
    }
  }, LOOK_EVERY_MS)

  return {
    ledger,
    stop: async () => {
      clearInterval(timer)
      await Promise.all(underWay)
      for (const agent of agents) agent.destroy()
    },
  }
}

/** @returns undefined when it was acknowledged, else what happened instead */
function post(
  { api, apiKey }: TrafficOrder,
  body: string,
  agent: Agent,
  isLastOfConnection: boolean,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-api-key': apiKey,
      ...(isLastOfConnection ? { connection: 'close' } : {}),
    }
    const sending = request(`${api}/api/v1/events/call`, { method: 'POST', agent, headers, timeout: ANSWER_WITHIN_MS })
    sending.on('response', (response) => {
      const { statusCode = 0 } = response
      response.resume()
      response.on('error', (error) => resolve(error.message))
      response.on('end', () => resolve(statusCode >= 200 && statusCode < 300 ? undefined : `status ${statusCode}`))
    })
    sending.on('timeout', () => sending.destroy(new Error(`no answer in ${ANSWER_WITHIN_MS / 1000} s`)))
    sending.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message))
    sending.end(body)
  })
}
