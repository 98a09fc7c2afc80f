/**
 * The call events that the benchmark sends: each a function of the run and the event's number, so that whoever checks
 * what was stored makes them again instead of remembering them.
 *
 * A thousand calls at a time go through four states, in another order each time: an event's call is any of a thousand,
 * and its id falls anywhere among those that are stored.
 */
import type { CallEventBody } from '@hopwhistle/contract/calls.ts'
import { fictionalNumbers, PROGRESS } from '@hopwhistle/contract/traffic/call-progress.ts'

const CALLS_AT_A_TIME = 1_000
const EVENTS_AT_A_TIME = CALLS_AT_A_TIME * PROGRESS.length
/** Without a common divisor with 1,000, so that each of them walks through all the calls. */
const STRIDES = [1, 387, 791, 573] as const

/**
 * @param run begins every id: new for each run
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

/** Another number of 32 bits for each number of 32 bits, without any order (the last steps of MurmurHash3). */
function scatter(n: number): number {
  let x = n >>> 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

/** When the n-th event of a run occurred: a millisecond after the one before it, and long enough ago. */
export const occurredAtMs = (runStartedAtMs: number, n: number): number => runStartedAtMs - 3_600_000 + n

/** A name for a run that no other has, and which sorts nowhere in particular. */
export const runName = (): string => Math.random().toString(36).slice(2, 8).padEnd(6, '0')
