import { Agent, request } from 'node:http'
import { createSender, type Failure, type Sender } from '../../client/src/sender.ts'
import type { TrafficOrder, TrafficReport } from './report.ts'

/**
 * Each sender keeps a connection of its own, so that they spread over the pods behind a Service, for so many events: then
 * it connects again, so that pods that have come since get their share.
 */
const EVENTS_PER_CONNECTION = 50
const LEAST_SENDERS = 6
/** A connection carries one event at a time. */
const EVENTS_PER_SECOND_AND_SENDER = 10
const LOOK_EVERY_MS = 5
/** Soon again, unless the server asks for a longer pause. */
const BACKOFF = { firstMs: 200, maxMs: 200 }
const STATES = ['INITIATED', 'RINGING', 'ANSWERED', 'COMPLETED'] as const
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
  const count = Math.max(LEAST_SENDERS, Math.ceil(order.ratePerSecond / EVENTS_PER_SECOND_AND_SENDER))
  const agents = Array.from({ length: count }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  const senders = agents.map((agent, i) => senderOver(order, agent, i))
  const acknowledged: number[] = []
  const failures: { event: number; at: string; what: string }[] = []
  const ledger = { sent: 0, acknowledged, failures, slowestMs: 0 }
  const underWay = new Set<Promise<void>>()

  async function deliver(event: number): Promise<void> {
    const startedAt = performance.now()
    const fail = (what: string) => failures.push({ event, at: new Date().toISOString(), what })
    const callEvent = {
      eventId: `${order.prefix}-${event}`,
      callId: `${order.prefix}-call-${Math.floor(event / STATES.length)}`,
      state: STATES[event % STATES.length]!,
      occurredAt: new Date().toISOString(),
    }
    const options = { deadlineMs: Number.POSITIVE_INFINITY, onFailure: (failure: Failure) => fail(describe(failure)) }
    const [result] = await senders[event % senders.length]!.send([callEvent], options)
    if (result?.outcome === 'refused') return void fail(`status ${result.problem.status}`)
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

function describe({ problem, cause }: Failure): string {
  if (problem !== undefined) return `status ${problem.status}`
  return (cause as Error & { code?: string }).code ?? String((cause as Error).message)
}

/** A sender with a connection of its own. @param first how many events of its first connection are left out */
function senderOver({ api, apiKey }: TrafficOrder, agent: Agent, first: number): Sender {
  let sent = first
  const fetch = (url: string | URL | Request, { method, headers, body }: RequestInit = {}) =>
    new Promise<Response>((resolve, reject) => {
      sent += 1
      const isLast = sent % EVENTS_PER_CONNECTION === 0
      const sending = request(String(url), {
        method: method ?? 'GET',
        agent,
        headers: { ...(headers as Record<string, string>), ...(isLast ? { connection: 'close' } : {}) },
        // From when it has the connection: an event that waits for its turn is not late.
        timeout: ANSWER_WITHIN_MS,
      })
      sending.on('response', async (response) => {
        try {
          const parts: Buffer[] = []
          for await (const part of response) parts.push(part as Buffer)
          const after = response.headers['retry-after']
          const answered = {
            status: response.statusCode ?? 0,
            headers: after === undefined ? {} : { 'retry-after': after },
          }
          resolve(new Response(Buffer.concat(parts), answered))
        } catch (error) {
          reject(error)
        }
      })
      sending.on('timeout', () => sending.destroy(new Error(`no answer in ${ANSWER_WITHIN_MS / 1000} s`)))
      sending.on('error', reject)
      sending.end(body)
    })
  return createSender({ url: api, apiKey, fetch }, { backoff: BACKOFF })
}
