import { type CallState, EVENT_BOUNDS, type EventOutcome } from '../../contract/calls.ts'
import { ROUTES } from '../../contract/routes.ts'
import { type Backoff, pauseMs, retryAfterMs, sleep } from './backoff.ts'
import { type Connection, type ParsedConnection, parseConnection } from './connection.ts'
import type { paths } from './openapi.ts'
import { mayHeal, type Problem, readProblem } from './problem.ts'

type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : never
export type CallEvent = Json<paths['/api/v1/events/call']['post']['requestBody']>
type Receipt = Json<paths['/api/v1/events/call']['post']['responses'][201]>
type BatchAnswer = Json<paths['/api/v1/events/calls']['post']['responses'][200]>

/**
 * What became of an event.
 *
 * applied    stored, and its call has its state now
 * late       stored, but the call was already further
 * duplicate  stored before; after more than one attempt, maybe by the first of them, whose answer was lost
 * refused    not stored, and never will be as it is: `problem` says why
 * unknown    no answer within the deadline; it may be stored. Sending it again with the same id is safe
 */
export type SendResult = {
  readonly eventId: string
  /** Requests that it was part of. */
  readonly attempts: number
} & (
  | {
      readonly outcome: EventOutcome
      /** The state of the call as of this commit. */
      readonly callState: CallState
      /** Ask for a report with it to see at least this event. */
      readonly position: string
    }
  | { readonly outcome: 'refused'; readonly problem: Problem }
  | { readonly outcome: 'unknown'; readonly failure: Failure }
)

/** Why an attempt has to be made again. */
export type Failure = {
  /** Absent when nothing came back that could be read. */
  readonly problem?: Problem
  /** What `fetch` threw instead. */
  readonly cause?: unknown
  /** What the server asked for in `Retry-After`. */
  readonly retryAfterMs?: number
}

/** An attempt that failed: these events will be sent again, or given up when the deadline is near. */
export type FailedAttempt = Failure & { readonly eventIds: readonly string[] }

export type SenderOptions = {
  /** One request and its answer. 10 seconds unless given. */
  readonly attemptTimeoutMs?: number
  /** Between attempts; from 200 ms, doubling up to 10 seconds, unless given. */
  readonly backoff?: Backoff
  /** Events in one request: 500, which is also the most, unless given. */
  readonly batchMax?: number
}

export type SendOptions = {
  /** Until every event has its result. 60 seconds unless given. */
  readonly deadlineMs?: number
  /** Aborted: ends it early, as the deadline does. */
  readonly signal?: AbortSignal
  /** Told of every attempt that failed. */
  readonly onFailure?: (failed: FailedAttempt) => void
}

export type Sender = {
  /**
   * Sends these events and says what became of each, in the order given. Never rejects because of the platform: what
   * could not be sent is a result as well.
   */
  send(events: readonly CallEvent[], options?: SendOptions): Promise<readonly SendResult[]>
}

const DEADLINE_MS = 60_000
const DEFAULTS = {
  attemptTimeoutMs: 10_000,
  batchMax: EVENT_BOUNDS.batchMax,
  backoff: { firstMs: 200, maxMs: 10_000 },
} as const

/**
 * Sends events until each is stored or refused: what fails is sent again with the same event id, which the platform
 * stores once, after the pause that the server asked for or a growing one by chance.
 *
 * ```ts
 * const sender = createSender({ url: 'https://calls.example.com', apiKey })
 * for (const result of await sender.send(events)) {
 *   if (result.outcome === 'refused') console.error(result.eventId, result.problem.detail)
 *   if (result.outcome === 'unknown') keepForLater(result.eventId)
 * }
 * ```
 */
export function createSender(connection: Connection, options: SenderOptions = {}): Sender {
  const parsed = parseConnection(connection)
  const settings = { ...DEFAULTS, ...options }
  const { batchMax, attemptTimeoutMs } = settings
  if (!(attemptTimeoutMs > 0)) throw new RangeError(`attemptTimeoutMs is ${attemptTimeoutMs}; it must be above 0`)
  if (!Number.isInteger(batchMax) || batchMax < 1 || batchMax > EVENT_BOUNDS.batchMax)
    throw new RangeError(`batchMax is ${batchMax}; it must be 1 to ${EVENT_BOUNDS.batchMax}`)

  return {
    send: async (events, { deadlineMs = DEADLINE_MS, signal, onFailure } = {}) => {
      if (!(deadlineMs > 0)) throw new RangeError(`deadlineMs is ${deadlineMs}; it must be above 0`)
      const within = { deadline: performance.now() + deadlineMs, signal, onFailure }
      const results: SendResult[] = []
      for (let at = 0; at < events.length; at += batchMax) {
        const batch = events.slice(at, at + batchMax)
        results.push(...(await sendBatch(parsed, settings, batch, within)))
      }
      return results
    },
  }
}

type Settings = Required<SenderOptions>
type Within = {
  readonly deadline: number
  readonly signal: AbortSignal | undefined
  readonly onFailure: ((failed: FailedAttempt) => void) | undefined
}

/** What one attempt said about one event: a result, or why it has to be made again. */
type Answer = { readonly result: SendResult } | { readonly failure: Failure }

async function sendBatch(
  connection: ParsedConnection,
  settings: Settings,
  events: readonly CallEvent[],
  { deadline, signal, onFailure }: Within,
): Promise<readonly SendResult[]> {
  const results = new Map<number, SendResult>()
  let pending = events.map((event, index) => ({ event, index }))
  for (let attempts = 1; ; attempts += 1) {
    const timeoutMs = Math.min(settings.attemptTimeoutMs, deadline - performance.now())
    const within = [AbortSignal.timeout(Math.max(0, Math.ceil(timeoutMs))), ...(signal === undefined ? [] : [signal])]
    const answers = await attempt(
      connection,
      pending.map(({ event }) => event),
      attempts,
      AbortSignal.any(within),
    )
    const failed = pending.flatMap(({ event, index }, i) => {
      const answer = answers[i] as Answer
      if ('failure' in answer) return [{ event, index, failure: answer.failure }]
      results.set(index, answer.result)
      return []
    })
    const [first] = failed
    if (first === undefined) break
    onFailure?.({ ...first.failure, eventIds: failed.map(({ event }) => event.eventId) })
    const wait = pauseMs(settings.backoff, attempts, first.failure.retryAfterMs)
    const isLast = performance.now() + wait >= deadline
    if (!isLast) await sleep(wait, signal)
    if (isLast || signal?.aborted === true) {
      for (const { event, index, failure } of failed)
        results.set(index, { eventId: event.eventId, attempts, outcome: 'unknown', failure })
      break
    }
    pending = failed
  }
  return events.map((_, index) => results.get(index) as SendResult)
}

/** One request; what is too large for one is sent in two halves. @returns one answer for each event, in that order */
async function attempt(
  connection: ParsedConnection,
  events: readonly CallEvent[],
  attempts: number,
  signal: AbortSignal,
): Promise<readonly Answer[]> {
  try {
    const [only, ...others] = events
    const isOne = others.length === 0
    const response = await connection.fetch(`${connection.baseUrl}${isOne ? ROUTES.callEvent : ROUTES.callEvents}`, {
      method: 'POST',
      headers: { ...connection.headers, 'content-type': 'application/json' },
      body: JSON.stringify(isOne ? only : { events }),
      signal,
    })
    if (!response.ok) {
      const problem = await readProblem(response)
      if (problem.status === 413 && !isOne) {
        const half = Math.ceil(events.length / 2)
        const halves = [events.slice(0, half), events.slice(half)]
        return (await Promise.all(halves.map((each) => attempt(connection, each, attempts, signal)))).flat()
      }
      const asked = retryAfterMs(response.headers)
      return events.map((event) => refusal(event, attempts, problem, asked))
    }
    if (isOne) {
      const { eventId, outcome, callState, position } = (await response.json()) as Receipt
      return [{ result: { eventId, attempts, outcome, callState, position } }]
    }
    return readBatch(events, attempts, (await response.json()) as BatchAnswer)
  } catch (cause) {
    return events.map(() => ({ failure: { cause } }))
  }
}

function readBatch(
  events: readonly CallEvent[],
  attempts: number,
  { results, position = '' }: BatchAnswer,
): readonly Answer[] {
  return events.map((event, i) => {
    const { outcome, callState, problem } = results[i] ?? {}
    if (outcome !== undefined && callState !== undefined)
      return { result: { eventId: event.eventId, attempts, outcome, callState, position } }
    if (problem === undefined) return { failure: { cause: new Error('the answer leaves this event out') } }
    return refusal(event, attempts, problem, undefined)
  })
}

function refusal(event: CallEvent, attempts: number, problem: Problem, asked: number | undefined): Answer {
  if (!mayHeal(problem.status)) return { result: { eventId: event.eventId, attempts, outcome: 'refused', problem } }
  return { failure: { problem, ...(asked === undefined ? {} : { retryAfterMs: asked }) } }
}
