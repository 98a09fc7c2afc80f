import { CALL_STATES, type CallState } from '../../contract/calls.ts'
import type { LiveMessage } from '../../contract/live.ts'

export type CallStates = {
  /** The state that the call has from this message on; undefined when the message changes nothing. */
  apply(message: LiveMessage): CallState | undefined
}

const STATE_OF_TYPE: ReadonlyMap<string, CallState> = new Map(
  CALL_STATES.map((state) => [`call.${state.toLowerCase()}`, state]),
)

/**
 * Puts the messages of each call in order. Two instances may publish events of one call in the other order than they
 * were committed in; `sequence` has the order of commit. Of the messages whose `outcome` is `applied`, the one with the largest
 * has the state.
 *
 * ```ts
 * const states = createCallStates()
 * for await (const message of follow(platform)) {
 *   const state = message.type === 'gap' ? undefined : states.apply(message)
 *   if (state !== undefined) show(message.callId, state)
 * }
 * ```
 *
 * @param callsMax how many calls are remembered: those heard of last; 100,000 unless given
 */
export function createCallStates({ callsMax = 100_000 }: { readonly callsMax?: number } = {}): CallStates {
  /** The largest sequence of each call that changed its state; the call that was heard of last comes last. */
  const largest = new Map<string, number>()
  return {
    apply: ({ type, callId, sequence, outcome }) => {
      // Not even its sequence counts: what it came too late for may be published after it.
      if (outcome !== 'applied') return undefined
      // An instance of an older version committed it, and nobody knows better.
      if (sequence !== null) {
        const before = largest.get(callId) ?? 0
        largest.delete(callId)
        largest.set(callId, Math.max(before, sequence))
        const [oldest] = largest.size > callsMax ? largest.keys() : []
        if (oldest !== undefined) largest.delete(oldest)
        if (sequence <= before) return undefined
      }
      return STATE_OF_TYPE.get(type)
    },
  }
}
