import { createHash, hash } from 'node:crypto'
import type { ReadFrom } from '../postgres/replica-monitor.ts'
import type { WalPosition } from '../postgres/wal-position.ts'
import type { CachedReport, ReportCache } from '../redis/report-cache.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { endOfTurn } from './end-of-turn.ts'
import type { RecentAnswers } from './recent-answers.ts'
import { recentAnswers } from './recent-answers.ts'

/** An answer, ready to be sent. */
export type Answer = {
  readonly body: Buffer
  /** The ETag's value without quotes: `what it is`.`where it was read`. */
  readonly tag: string
  /** How long the caller may keep it. */
  readonly maxAgeMs: number
}

export type Question = {
  readonly tenantId: string
  /** The same for the same question of a tenant, however it was asked. */
  readonly key: string
  /** The answer must show everything up to there. */
  readonly position: WalPosition | undefined
  /** How long the answer may be given to others; 0: only to those who ask at the same moment. */
  readonly keepMs: number
}

/** The fields of an answer except `asOf` and `source`, as JSON without braces, and where they were read. */
export type Fresh = { readonly fields: string; readonly from: ReadFrom }

/**
 * Answers a question from memory, from the cache or afresh, and once for all who ask it at the same moment in this process.
 *
 * An answer that was read on the replica knows the WAL position that it shows, and is good for whoever asks for that or
 * less. One from the primary knows none (see ReadFrom), and is good only for who asks without a position.
 */
export function createSharedAnswers(deps: {
  readonly cache: ReportCache
  readonly recent?: RecentAnswers
  /** Whose positions answers have: after a restore, one of before must not pass for a later one. */
  readonly history: () => string | undefined
  readonly metrics: Pick<Metrics, 'reportCache' | 'reportSource'>
}): (question: Question, read: () => Promise<Fresh>) => Promise<Answer> {
  const { cache, recent = recentAnswers(), history, metrics } = deps
  const underway = new Map<string, Promise<Found>>()

  async function fromCache(question: Question): Promise<CachedReport | undefined> {
    const cached = await cache.get(cacheKey(question))
    const result = typeof cached === 'string' ? cached : goodFor(question, cached.position) ? 'hit' : 'stale'
    metrics.reportCache.inc({ result })
    return typeof cached !== 'string' && result === 'hit' ? cached : undefined
  }

  async function lookUp(key: string, question: Question, read: () => Promise<Fresh>): Promise<Found> {
    const cached = question.keepMs > 0 ? await fromCache(question) : undefined
    if (cached !== undefined) {
      recent.keep(key, cached)
      return { report: cached, source: 'cache' }
    }
    const { fields, from } = await read()
    const report = compose(question, fields, from)
    if (question.keepMs > 0) {
      recent.keep(key, report)
      cache.put(cacheKey(question), report)
    }
    return { report, source: from.source }
  }

  async function join(key: string, question: Question, read: () => Promise<Fresh>): Promise<Answer> {
    const others = underway.get(key)
    if (others !== undefined) {
      const found = await others
      if (goodFor(question, found.report.position)) {
        metrics.reportCache.inc({ result: 'joined' })
        metrics.reportSource.inc({ source: found.source })
        return toAnswer(found)
      }
    }
    const own = lookUp(key, question, read)
    underway.set(key, own)
    try {
      const found = await own
      metrics.reportSource.inc({ source: found.source })
      return toAnswer(found)
    } finally {
      if (underway.get(key) === own) underway.delete(key)
    }
  }

  return async (asked, read) => {
    const question = { ...asked, key: `${history()} ${asked.key}` }
    const key = `${question.tenantId} ${question.key}`
    const known = recent.get(key)
    if (known === undefined || !goodFor(question, known.position)) return join(key, question, read)
    metrics.reportCache.inc({ result: 'hit' })
    metrics.reportSource.inc({ source: 'cache' })
    await endOfTurn()
    return toAnswer({ report: known, source: 'cache' })
  }
}

type Found = { readonly report: CachedReport; readonly source: 'replica' | 'primary' | 'cache' }

function goodFor({ position }: Question, shown: WalPosition): boolean {
  return position === undefined || position <= shown
}

/** The tenant in plain sight, and as the hash tag that keeps its keys together in a Redis Cluster. */
function cacheKey({ tenantId, key }: Question): string {
  return `{${tenantId}}:report:${hash('sha256', key, 'base64url')}`
}

/**
 * What is kept says `"source":"cache"`, and as the field has one length, who reads it first gets the same bytes with
 * the true source written over it.
 */
const SOURCE = { cache: '"cache"  ', replica: '"replica"', primary: '"primary"' } as const

function compose(question: Question, fields: string, from: ReadFrom): CachedReport {
  const head = `{"source":${SOURCE.cache},"asOf":"${from.asOf.toISOString()}",`
  const body = Buffer.from(`${head}${fields}}`)
  return {
    position: from.position ?? 0n,
    expiresAtMs: Date.now() + question.keepMs,
    // With the tenant in it: nobody learns anything from another tenant's tag.
    tag: createHash('sha256').update(question.tenantId).update(body).digest('base64url').slice(0, TAG_LENGTH),
    body,
  }
}

const TAG_LENGTH = 22
const SOURCE_AT = '{"source":'.length

/** The bytes differ by source, so a strong ETag does as well. */
function toAnswer({ report, source }: Found): Answer {
  const body = source === 'cache' ? report.body : Buffer.from(report.body)
  if (source !== 'cache') body.write(SOURCE[source], SOURCE_AT, 'latin1')
  return { body, tag: `${report.tag}.${source}`, maxAgeMs: Math.max(0, report.expiresAtMs - Date.now()) }
}

/** The tag of the same report in another form: an ETag is of the bytes. */
export function tagOfVariant(tag: string, form: string): string {
  return hash('sha256', `${form} ${tag.slice(0, TAG_LENGTH)}`, 'base64url').slice(0, TAG_LENGTH) + tag.slice(TAG_LENGTH)
}

/** True when what a caller has is this answer, wherever either was read: only `source` may differ. */
export function isSameAnswer(given: string, tag: string): boolean {
  return given.slice(0, TAG_LENGTH) === tag.slice(0, TAG_LENGTH)
}
