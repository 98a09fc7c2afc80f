/** Calls that go through their states in order, as a load test's VU posts them. */
import type { CallEventBody, CallState } from './contract.calls.ts'

/** What every call of the load tests goes through. */
export const PROGRESS = ['INITIATED', 'RINGING', 'ANSWERED', 'COMPLETED'] as const satisfies readonly CallState[]

/**
 * The endless events of one owner's calls, one call after the other, each through all its states.
 *
 * @param prefix begins every id; unique to the owner over the whole test, all runners included
 * @example
 *   const next = callEvents('run-7', fictionalNumbers(0))
 *   next(new Date()).callId // 'run-7.0', for its first four events
 */
export function callEvents(prefix: string, numbers: PhoneNumbers): (occurredAt: Date) => CallEventBody {
  let step = 0
  return (occurredAt) => {
    const state = PROGRESS[step % PROGRESS.length] ?? 'INITIATED'
    const callId = `${prefix}.${Math.floor(step / PROGRESS.length)}`
    step += 1
    return callEvent(`${callId}.${state}`, callId, state, occurredAt, numbers)
  }
}

export type PhoneNumbers = { readonly from: string; readonly to: string }

export function callEvent(
  eventId: string,
  callId: string,
  state: CallState,
  occurredAt: Date,
  numbers: PhoneNumbers,
): CallEventBody {
  return { eventId, callId, state, occurredAt: occurredAt.toISOString(), direction: 'inbound', ...numbers }
}

/** Numbers from the range that is kept for fiction (555-0100 to 555-0199), a pair of its own for each of 10,000. */
export function fictionalNumbers(owner: number): PhoneNumbers {
  const digits = (n: number) => String(n % 100).padStart(2, '0')
  return { from: `+120255501${digits(owner)}`, to: `+130355501${digits(Math.floor(owner / 100))}` }
}
