/**
 * Reports in Redis, as the bytes that are sent, so that a hit costs no JSON work.
 *
 *   trusted ──a failure, or no answer in 50 ms──▶ avoided ──a second later──▶ trusted
 *
 *   trusted  is asked
 *   avoided  nobody waits for it: every look-up is skipped, nothing is kept
 *
 * A cache can only help: Redis gone, slow, full or holding something else is a look-up that found nothing.
 */
import type { WalPosition } from '../postgres/wal-position.ts'
import { withinMs } from '../timing/within-ms.ts'

export type CachedReport = {
  /** Everything up to this WAL position is in it; 0 when unknown. */
  readonly position: WalPosition
  /** Unix milliseconds. */
  readonly expiresAtMs: number
  /** Identifies the bytes: printable ASCII without quotes, as it goes into an ETag. */
  readonly tag: string
  readonly body: Buffer
}

export type ReportCache = {
  /** @returns 'skipped' when Redis was not asked or did not answer in time; never rejects */
  get(key: string): Promise<CachedReport | 'miss' | 'skipped'>
  /** Keeps it until it expires, unless Redis is avoided or this instance has written enough for now; never waits. */
  put(key: string, report: CachedReport): void
}

/** The part of ioredis that is needed here; a Cluster has it, too. */
export type CacheClient = {
  getBuffer(key: string): Promise<Buffer | null>
  set(key: string, value: Buffer, unit: 'PX', ttlMs: number): Promise<unknown>
}

/** How long a look-up waits for Redis, if not for 50 ms; and another clock. */
export type ReportCacheOptions = { readonly answerWithinMs?: number; readonly nowMs?: () => number }

const ANSWER_WITHIN_MS = 50
const AVOID_MS = 1_000
/**
 * A month by the hour is 270 KB. However many different reports are asked for, an instance adds no more than this to
 * what Redis holds at a time: 120 MB in the longest minute that a report is kept.
 */
const BYTES_PER_SECOND = 2 * 1024 * 1024
const BYTES_AT_ONCE = 16 * 1024 * 1024

/** Names the format below: another version neither reads nor overwrites what this one wrote. */
const FORMAT = 1
const HEAD_BYTES = 1 + 8 + 8 + 1

export function createReportCache(
  redis: { readonly commands: CacheClient; isUp(): boolean },
  { answerWithinMs = ANSWER_WITHIN_MS, nowMs = Date.now }: ReportCacheOptions = {},
): ReportCache {
  let avoidUntilMs = 0
  let budgetBytes = BYTES_AT_ONCE
  let budgetAtMs = nowMs()

  const trusted = () => redis.isUp() && nowMs() >= avoidUntilMs
  const avoid = () => {
    avoidUntilMs = nowMs() + AVOID_MS
  }
  function afford(bytes: number): boolean {
    const now = nowMs()
    budgetBytes = Math.min(BYTES_AT_ONCE, budgetBytes + ((now - budgetAtMs) / 1000) * BYTES_PER_SECOND)
    budgetAtMs = now
    if (bytes > budgetBytes) return false
    budgetBytes -= bytes
    return true
  }

  return {
    get: async (key) => {
      if (!trusted()) return 'skipped'
      const found = await withinMs(redis.commands.getBuffer(`hw:${key}`), answerWithinMs)
      if (found === 'late') {
        avoid()
        return 'skipped'
      }
      const report = found === null ? undefined : decode(found)
      return report === undefined || report.expiresAtMs <= nowMs() ? 'miss' : report
    },
    put: (key, report) => {
      const ttlMs = Math.floor(report.expiresAtMs - nowMs())
      if (ttlMs <= 0 || !trusted() || !afford(report.body.length)) return
      redis.commands.set(`hw:${key}`, encode(report), 'PX', ttlMs).catch(avoid)
    },
  }
}

function encode({ position, expiresAtMs, tag, body }: CachedReport): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + tag.length + body.length)
  bytes.writeUInt8(FORMAT, 0)
  bytes.writeBigUInt64BE(position, 1)
  bytes.writeDoubleBE(expiresAtMs, 9)
  bytes.writeUInt8(tag.length, 17)
  bytes.write(tag, HEAD_BYTES, 'latin1')
  body.copy(bytes, HEAD_BYTES + tag.length)
  return bytes
}

/** @returns undefined for anything that `encode` did not make */
function decode(bytes: Buffer): CachedReport | undefined {
  if (bytes.length < HEAD_BYTES || bytes[0] !== FORMAT) return undefined
  const bodyAt = HEAD_BYTES + (bytes[17] as number)
  if (bytes.length < bodyAt) return undefined
  return {
    position: bytes.readBigUInt64BE(1),
    expiresAtMs: bytes.readDoubleBE(9),
    tag: bytes.toString('latin1', HEAD_BYTES, bodyAt),
    body: bytes.subarray(bodyAt),
  }
}
