import { setTimeout as sleep } from 'node:timers/promises'
import { createSender, type Failure } from '../../client/src/sender.ts'
import type { CallState } from '../../contract/calls.ts'
import { PROGRESS } from '../../contract/traffic/call-progress.ts'

/** The record of one event, as its sender saw it. */
export type Entry = {
  readonly eventId: string
  /** When it was due, whether or not it could be sent then. */
  readonly dueAtMs: number
  /** When it was first acknowledged; absent: never. */
  ackedAtMs?: number
  /** Each failed attempt: its status, or `none` where no answer came. */
  readonly refusals: { readonly status: number | 'none'; readonly atMs: number; readonly retryAfter: boolean }[]
}

export type LedgerLoad = {
  readonly entries: readonly Entry[]
  /** Stops sending and waits for the events in flight. */
  stop(): Promise<void>
}

export type LedgerLoadOptions = {
  readonly apiUrl: string
  readonly apiKey: string
  /** Prefix of every id. */
  readonly name: string
  readonly perSecond: number
  /** Events in flight at most; further due events wait. */
  readonly underWayMax?: number
  /** After it is aborted, no event is retried. */
  readonly signal?: AbortSignal
}

/** Short, unless the server asks for a longer pause. */
const BACKOFF = { firstMs: 200, maxMs: 1_000 }
const GIVE_UP_MS = 90_000
const ANSWER_WITHIN_MS = 10_000
const TICK_MS = 10
const UNDER_WAY_MAX = 800

/**
 * Sends call events at a steady rate, whatever the answers, and records each. An event that is refused or not answered
 * is sent again with the same id until it is acknowledged, as the platform asks of its clients.
 */
export function startLedgerLoad(options: LedgerLoadOptions): LedgerLoad {
  const { apiUrl, apiKey, name, perSecond, underWayMax = UNDER_WAY_MAX, signal } = options
  const sender = createSender({ url: apiUrl, apiKey }, { backoff: BACKOFF, attemptTimeoutMs: ANSWER_WITHIN_MS })
  const entries: Entry[] = []
  const underWay = new Set<Promise<void>>()
  const startedAt = performance.now()
  const startedAtMs = Date.now()
  let begun = 0
  let stopped = false

  function enter(index: number): void {
    const state = PROGRESS[index % PROGRESS.length]
    const callId = `${name}.${Math.floor(index / PROGRESS.length)}`
    const dueAtMs = startedAtMs + (index / perSecond) * 1000
    entries.push({ eventId: `${callId}.${state}`, dueAtMs, refusals: [] })
  }
  async function send(entry: Entry): Promise<void> {
    const { eventId, dueAtMs, refusals } = entry
    const deadlineMs = GIVE_UP_MS - (Date.now() - dueAtMs)
    if (deadlineMs <= 0 || signal?.aborted === true) return
    const at = eventId.lastIndexOf('.')
    const callId = eventId.slice(0, at)
    const state = eventId.slice(at + 1) as CallState
    const refuse = ({ problem, retryAfterMs }: Failure) =>
      refusals.push({ status: problem?.status ?? 'none', atMs: Date.now(), retryAfter: retryAfterMs !== undefined })
    const [result] = await sender.send([{ eventId, callId, state, occurredAt: new Date().toISOString() }], {
      deadlineMs,
      onFailure: refuse,
      ...(signal === undefined ? {} : { signal }),
    })
    if (result?.outcome === 'refused') refuse({ problem: result.problem })
    else if (result?.outcome !== 'unknown') entry.ackedAtMs = Date.now()
  }
  function begin(): void {
    while (underWay.size < underWayMax && begun < entries.length) {
      const one: Promise<void> = send(entries[begun++] as Entry).finally(() => {
        underWay.delete(one)
        begin()
      })
      underWay.add(one)
    }
  }

  const ticking = (async () => {
    while (!stopped) {
      const due = ((performance.now() - startedAt) / 1000) * perSecond
      while (entries.length < due) enter(entries.length)
      begin()
      await sleep(TICK_MS)
    }
  })()

  return {
    entries,
    stop: async () => {
      stopped = true
      await ticking
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}
