import { setTimeout as sleep } from 'node:timers/promises'
import { PROGRESS } from '../../loadtests/scenarios/lib/call-progress.ts'

/** What became of one event, as its sender saw it. */
export type Entry = {
  readonly eventId: string
  readonly sentAtMs: number
  /** When it was first acknowledged; absent: never. */
  ackedAtMs?: number
  /** Each attempt that was not: its status, or `none` where nobody answered. */
  readonly refusals: { readonly status: number | 'none'; readonly atMs: number; readonly retryAfter: boolean }[]
}

export type LedgerLoad = {
  readonly entries: readonly Entry[]
  /** Sends no more, and waits for what is on its way. */
  stop(): Promise<void>
}

export type LedgerLoadOptions = {
  readonly apiUrl: string
  readonly apiKey: string
  /** Begins every id. */
  readonly name: string
  readonly perSecond: number
}

const RETRY_EVERY_MS = 200
const GIVE_UP_MS = 60_000
const ANSWER_WITHIN_MS = 10_000
const TICK_MS = 10

/**
 * Sends call events at a steady rate, whatever is answered, and writes down each. One that is refused, or not answered,
 * is sent again with the same id, as the platform asks of its clients, until it is acknowledged.
 */
export function startLedgerLoad({ apiUrl, apiKey, name, perSecond }: LedgerLoadOptions): LedgerLoad {
  const entries: Entry[] = []
  const sending = new Set<Promise<void>>()
  const startedAt = performance.now()
  let stopped = false

  async function send(index: number): Promise<void> {
    const state = PROGRESS[index % PROGRESS.length]
    const callId = `${name}.${Math.floor(index / PROGRESS.length)}`
    const entry: Entry = { eventId: `${callId}.${state}`, sentAtMs: Date.now(), refusals: [] }
    entries.push(entry)
    const body = JSON.stringify({ eventId: entry.eventId, callId, state, occurredAt: new Date().toISOString() })
    while (Date.now() - entry.sentAtMs < GIVE_UP_MS) {
      const answer = await fetch(`${apiUrl}/api/v1/events/call`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': apiKey },
        body,
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      }).catch(() => undefined)
      await answer?.arrayBuffer().catch(() => {})
      if (answer?.ok === true) {
        entry.ackedAtMs = Date.now()
        return
      }
      const retryAfter = answer?.headers.has('retry-after') ?? false
      entry.refusals.push({ status: answer?.status ?? 'none', atMs: Date.now(), retryAfter })
      await sleep(RETRY_EVERY_MS)
    }
  }

  const ticking = (async () => {
    while (!stopped) {
      const due = ((performance.now() - startedAt) / 1000) * perSecond
      while (entries.length < due) {
        const one: Promise<void> = send(entries.length).finally(() => sending.delete(one))
        sending.add(one)
      }
      await sleep(TICK_MS)
    }
  })()

  return {
    entries,
    stop: async () => {
      stopped = true
      await ticking
      while (sending.size > 0) await Promise.all(sending)
    },
  }
}
