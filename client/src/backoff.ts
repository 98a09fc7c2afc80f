/** The pause before the next attempt. */
export type Backoff = {
  /** Longest pause after the first failure; it doubles with each one that follows. */
  readonly firstMs: number
  readonly maxMs: number
}

/**
 * Between half and all of what is due, by chance, so that clients who failed together do not come back together.
 *
 * @param failures in a row so far, from 1
 * @param retryAfterMs what the server asked for: never less than that, and up to a quarter more
 */
export function pauseMs({ firstMs, maxMs }: Backoff, failures: number, retryAfterMs = 0): number {
  const due = Math.min(maxMs, firstMs * 2 ** (failures - 1))
  return Math.max(due * (0.5 + Math.random() / 2), retryAfterMs * (1 + Math.random() / 4))
}

/** What `Retry-After` asks for: seconds, or a date. */
export function retryAfterMs(headers: Headers, now = Date.now()): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

/** Resolves after this time, or as soon as the signal is aborted. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done)
  })
}
