/**
 * The call events of the benchmark. Each is a function of the run and of the event's number, so the check of what was
 * stored computes them again instead of keeping them in memory.
 *
 * A thousand calls at a time go through four states, each time in another order. So an event's call is any of a thousand,
 * and its id falls anywhere among the stored ids.
 */
import type { CallEventBody } from '@hopwhistle/contract/calls.ts'
import { fictionalNumbers, PROGRESS } from '@hopwhistle/contract/traffic/call-progress.ts'

const CALLS_AT_A_TIME = 1_000
const EVENTS_AT_A_TIME = CALLS_AT_A_TIME * PROGRESS.length
/** Coprime to 1,000, so that each stride visits all calls. */
const STRIDES = [1, 387, 791, 573] as const

/**
 * @param run prefix of every id: new for each run
 * @param n 0, 1, 2, …
 */
export function callEvent(run: string, n: number, occurredAtMs: number): CallEventBody {
  const place = n % EVENTS_AT_A_TIME
  const step = Math.floor(place / CALLS_AT_A_TIME)
  const call =
    Math.floor(n / EVENTS_AT_A_TIME) * CALLS_AT_A_TIME +
    (((place % CALLS_AT_A_TIME) * STRIDES[step]!) % CALLS_AT_A_TIME)
  const random = scatter(call)
  const callId = `${run}-${random.toString(16).padStart(8, '0')}`
  return {
    eventId: `${callId}-${step}`,
    callId,
    state: PROGRESS[step]!,
    occurredAt: new Date(occurredAtMs).toISOString(),
    direction: random % 3 === 0 ? 'outbound' : 'inbound',
    ...fictionalNumbers(random),
  }
}

/** Maps each 32-bit number to another one, in no order, one to one (the last steps of MurmurHash3). */
function scatter(n: number): number {
  let x = n >>> 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/** When the n-th event of a run occurred: a millisecond after the one before, and long enough ago. */
export const occurredAtMs = (runStartedAtMs: number, n: number): number => runStartedAtMs - 3_600_000 + n

/** A unique random name for a run, so that runs do not sort by time. */
export const runName = (): string => Math.random().toString(36).slice(2, 8).padEnd(6, '0')
