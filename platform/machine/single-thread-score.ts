/**
 * The speed of one thread of this machine, to compare figures of two machines.
 *
 * The score is rounds per second of a fixed mix of what the platform does: JSON, hashing, sorting, strings and maps. The
 * best of many short tries counts, so other programs hardly lower it. It is comparable between machines with the same
 * Node.js; a new mix needs a new `SCORE_NAME`.
 */
import { createHash } from 'node:crypto'

export type SingleThreadScore = {
  readonly name: typeof SCORE_NAME
  /** Rounds a second. */
  readonly perSecond: number
}

export const SCORE_NAME = 'mix-1'

/**
 * @param forMs how long to try. One try takes about half a millisecond, so it fits between two interruptions. The first
 * tries are slower, because V8 still compiles.
 */
export function measureSingleThreadScore(forMs = 1_000): SingleThreadScore {
  const until = performance.now() + forMs
  let bestMs = Number.POSITIVE_INFINITY
  for (let began = performance.now(); began < until; began = performance.now()) {
    workRound(1)
    bestMs = Math.min(bestMs, performance.now() - began)
  }
  return { name: SCORE_NAME, perSecond: Number((1_000 / bestMs).toPrecision(3)) }
}

const EVENTS = Array.from({ length: 200 }, (_, i) => ({
  eventId: `score.${i}.${(i * 7919) % 1000}`,
  callId: `call-${i % 50}`,
  state: ['INITIATED', 'RINGING', 'ANSWERED', 'COMPLETED'][i % 4],
  occurredAt: 1_700_000_000_000 + i * 137,
  metadata: { queue: `q${i % 7}`, agent: i % 2 === 0 ? null : `agent-${i}`, tags: ['a', 'bb', 'ccc'] },
}))

/** One round. @returns a digest of all its results, the same on every machine, so that V8 cannot skip any of the work */
export function workRound(seed: number): string {
  const events = JSON.parse(JSON.stringify(EVENTS)) as typeof EVENTS
  const byCall = new Map<string, number>()
  for (const { callId, occurredAt } of events) byCall.set(callId, (byCall.get(callId) ?? seed) + (occurredAt % 1009))
  events.sort((a, b) => (a.eventId < b.eventId ? -1 : 1))
  let state = seed + 1
  const numbers = Float64Array.from({ length: 2_000 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state
  }).sort()
  const text = events.map(({ eventId, state }) => `${eventId.toUpperCase()}:${state}`).join(',')
  return createHash('sha256')
    .update(text)
    .update([...byCall.values()].join())
    .update(String(numbers[1_000]))
    .digest('hex')
}
