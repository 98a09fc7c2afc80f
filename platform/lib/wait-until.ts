import { setTimeout as sleep } from 'node:timers/promises'

/** A wait timed out; the message says for what, how long, and the last failure. */
export class WaitedTooLong extends Error {
  override readonly name = 'WaitedTooLong'
}

export type WaitOptions = { readonly timeoutMs: number; readonly everyMs?: number; readonly signal?: AbortSignal }

/**
 * Repeats the call until its result is neither undefined nor false, and returns that. An error counts as "not yet".
 *
 * @param what completes the sentence "waited 5 s for …"
 * @throws {WaitedTooLong}
 */
export async function waitUntil<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs, everyMs = 25, signal }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let lastFailure: unknown
  for (;;) {
    signal?.throwIfAborted()
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
      lastFailure = undefined
    } catch (error) {
      if (error instanceof GiveUp) throw error.cause
      lastFailure = error
    }
    if (performance.now() >= deadline) {
      const because = lastFailure === undefined ? '' : `: ${(lastFailure as Error).message ?? String(lastFailure)}`
      throw new WaitedTooLong(`waited ${timeoutMs / 1000} s for ${what}${because}`, { cause: lastFailure })
    }
    await sleep(everyMs)
  }
}

/** Thrown by an `ask` that can no longer succeed: ends the wait at once with the cause. */
export class GiveUp extends Error {
  override readonly name = 'GiveUp'
  constructor(cause: Error) {
    super(cause.message, { cause })
  }
}
