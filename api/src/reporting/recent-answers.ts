import type { CachedReport } from '../redis/report-cache.ts'

/**
 * Answers of the last moment in memory, so that a report that many ask for costs Redis four look-ups a second, and not
 * one for each of them.
 *
 * Never longer than it is good for, and never longer than this without a look at the cache: a newer answer that another
 * instance put there, for somebody who asked with a position, is seen here that much later at most.
 */
export type RecentAnswers = {
  get(key: string): CachedReport | undefined
  /** Unless there is a newer one already. */
  keep(key: string, report: CachedReport): void
  /** Bytes that they keep from being freed. */
  heldBytes(): number
}

export type RecentAnswersOptions = {
  readonly keepMs?: number
  /** Those that were kept first go first. */
  readonly bytesMax?: number
  readonly nowMs?: () => number
}

const KEEP_MS = 250
const BYTES_MAX = 16 * 1024 * 1024

export function recentAnswers({
  keepMs = KEEP_MS,
  bytesMax = BYTES_MAX,
  nowMs = Date.now,
}: RecentAnswersOptions = {}): RecentAnswers {
  type Entry = { readonly report: CachedReport; readonly untilMs: number }
  const entries = new Map<string, Entry>()
  let bytes = 0

  function forget(key: string): void {
    const entry = entries.get(key)
    if (entry === undefined) return
    entries.delete(key)
    bytes -= bytesOf(entry.report)
  }

  function get(key: string): CachedReport | undefined {
    const entry = entries.get(key)
    if (entry === undefined) return undefined
    if (entry.untilMs > nowMs()) return entry.report
    forget(key)
    return undefined
  }

  return {
    get,
    keep: (key, report) => {
      const known = get(key)
      if (known !== undefined && known.expiresAtMs > report.expiresAtMs) return
      forget(key)
      entries.set(key, { report, untilMs: Math.min(report.expiresAtMs, nowMs() + keepMs) })
      bytes += bytesOf(report)
      // Nobody may ask again for what is over: each hour ends with the keys of its reports.
      for (const [oldest, { untilMs }] of entries) {
        if (bytes <= bytesMax && untilMs > nowMs()) break
        forget(oldest)
      }
    },
    heldBytes: () => bytes,
  }
}

/** All that a body keeps from being freed: what came from Redis is a view of what came with it. */
const bytesOf = ({ body }: CachedReport): number => body.buffer.byteLength
