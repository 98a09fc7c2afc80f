import { LRUCache } from 'lru-cache'
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
  /** Those that nobody asked for longest go first. */
  readonly bytesMax?: number
}

const KEEP_MS = 250
const BYTES_MAX = 16 * 1024 * 1024

export function recentAnswers({ keepMs = KEEP_MS, bytesMax = BYTES_MAX }: RecentAnswersOptions = {}): RecentAnswers {
  const reports = new LRUCache<string, CachedReport>({
    maxSize: bytesMax,
    sizeCalculation: bytesOf,
    // Nobody may ask again for what is over: each hour ends with the keys of its reports.
    ttlAutopurge: true,
    ttlResolution: 0,
  })
  return {
    get: (key) => reports.get(key),
    keep: (key, report) => {
      const ttl = Math.min(keepMs, report.expiresAtMs - Date.now())
      const known = reports.peek(key)
      // A time to live of 0 would be for ever.
      if (ttl <= 0 || (known !== undefined && known.expiresAtMs > report.expiresAtMs)) return
      reports.set(key, report, { ttl })
    },
    heldBytes: () => reports.calculatedSize,
  }
}

/** All that a body keeps from being freed: what came from Redis is a view of what came with it. */
const bytesOf = ({ body }: CachedReport): number => body.buffer.byteLength
