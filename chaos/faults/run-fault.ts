import { setTimeout as sleep } from 'node:timers/promises'
import { WaitedTooLong, waitUntil } from '../../platform/lib/wait-until.ts'
import { type Comparison, compareLedger } from '../load/compare-ledger.ts'
import { type FollowerFigures, startFollower } from '../load/follower.ts'
import { type Entry, startLedgerLoad } from '../load/ledger-load.ts'
import { type ReportFigures, startReportLoad } from '../load/report-load.ts'
import type { Rig } from '../rig/rig.ts'
import type { Fault } from './fault.ts'

export type FaultResult = {
  readonly title: string
  readonly sent: number
  readonly acknowledged: number
  /** Acknowledged a second while the fault lasted. */
  readonly heldPerSecond: number
  /** Events that were not acknowledged at the first attempt, by answer: `503`, `none`, … */
  readonly refusals: Readonly<Record<string, number>>
  /** 503s without Retry-After. */
  readonly withoutRetryAfter: number
  /** The longest time from when an event was due to its acknowledgement, retries included. */
  readonly slowestMs: number
  /** From the end of the fault until the last refusal, or the last event that waited for more than a second. */
  readonly recoveredAfterMs: number
  readonly reports: ReportFigures
  readonly live: LiveResult
} & { readonly [K in keyof Comparison]: Comparison[K] }

export type LiveResult = {
  readonly followers: number
  /** How often followers got recovered: false, in total. */
  readonly toldGaps: number
  readonly lostConnections: number
  /** Acknowledged events that did not reach a follower, although it got no recovered: false. */
  readonly missing: number
  readonly broken: readonly string[]
}

export type FaultRun = {
  /** Begins the id of every event. */
  readonly name: string
  readonly perSecond: number
  /** 0 to 1, random: when the fault begins within the load. */
  readonly moment: number
}

const FOLLOWERS = 3
const BEFORE_MS = 3_000
const WITHIN_MS = 1_000
const AFTER_MS = 6_000
const LATE_MS = 1_000
/** Long enough for another instance to sweep the outbox of one that ended. */
const LIVE_WITHIN_MS = 20_000
const ROLLED_UP_WITHIN_MS = 10_000

/** Runs load with the fault in the middle, then compares acknowledged events with those stored and those delivered. */
export async function runFault(fault: Fault, rig: Rig, { name, perSecond, moment }: FaultRun): Promise<FaultResult> {
  const { apiUrl, apiKey, urls } = rig
  const followers = Array.from({ length: FOLLOWERS }, () => startFollower(apiUrl, apiKey))
  try {
    await Promise.all(followers.map(({ subscribed }) => subscribed))
    const told = new Map(followers.map((one) => [one, one.figures().toldGaps]))
    const load = startLedgerLoad({ apiUrl, apiKey, name, perSecond })
    const reports = startReportLoad(apiUrl, apiKey)
    await sleep(BEFORE_MS + moment * WITHIN_MS)
    const beganAtMs = Date.now()
    await fault.inflict(rig)
    const overAtMs = Date.now()
    await sleep(AFTER_MS)
    await load.stop()
    const acked = load.entries.filter(({ ackedAtMs }) => ackedAtMs !== undefined)
    const missing = () => followers.flatMap((one) => missingOf(one.figures(), told.get(one) ?? 0, acked))
    await quietly(waitUntil('all live', () => missing().length === 0, { timeoutMs: LIVE_WITHIN_MS, everyMs: 250 }))
    const compare = () => compareLedger(urls.owner, name, load.entries)
    await quietly(waitUntil('rollups', async () => (await compare()).rollupsEqual, { timeoutMs: ROLLED_UP_WITHIN_MS }))
    const seen = followers.map((one) => one.figures())
    return {
      title: fault.title,
      ...(await compare()),
      ...sumUp(load.entries, beganAtMs, overAtMs),
      reports: await reports.stop(),
      live: {
        followers: FOLLOWERS,
        toldGaps: seen.reduce((sum, one) => sum + one.toldGaps, 0) - [...told.values()].reduce((a, b) => a + b, 0),
        lostConnections: seen.reduce((sum, one) => sum + one.lostConnections, 0),
        missing: missing().length,
        broken: seen.flatMap((one) => one.broken),
      },
    }
  } finally {
    for (const one of followers) one.stop()
  }
}

const missingOf = (seen: FollowerFigures, toldBefore: number, acked: readonly Entry[]): readonly Entry[] =>
  seen.toldGaps > toldBefore ? [] : acked.filter(({ eventId }) => !seen.received.has(eventId))

/** Ignores a time-out: the result names what is missing. */
async function quietly(waiting: Promise<unknown>): Promise<void> {
  await waiting.catch((error: unknown) => {
    if (!(error instanceof WaitedTooLong)) throw error
  })
}

function sumUp(entries: readonly Entry[], beganAtMs: number, overAtMs: number) {
  const all = entries.flatMap(({ refusals }) => refusals)
  const refusals: Record<string, number> = {}
  for (const { status } of entries.flatMap(({ refusals: [first] }) => (first === undefined ? [] : [first]))) {
    refusals[status] = (refusals[status] ?? 0) + 1
  }
  const acked = entries.filter(({ ackedAtMs }) => ackedAtMs !== undefined)
  const ackedAt = (entry: Entry) => entry.ackedAtMs ?? 0
  const during = acked.filter((one) => ackedAt(one) >= beganAtMs && ackedAt(one) < overAtMs)
  const late = acked.filter((one) => ackedAt(one) - one.dueAtMs > LATE_MS)
  const lastTrouble = [...all.map(({ atMs }) => atMs), ...late.map(ackedAt)].reduce((a, b) => Math.max(a, b), 0)
  return {
    sent: entries.length,
    acknowledged: acked.length,
    heldPerSecond: Math.round(during.length / (Math.max(1, overAtMs - beganAtMs) / 1000)),
    refusals,
    withoutRetryAfter: all.filter(({ status, retryAfter }) => (status === 429 || status === 503) && !retryAfter).length,
    slowestMs: Math.round(acked.reduce((most, one) => Math.max(most, ackedAt(one) - one.dueAtMs), 0)),
    recoveredAfterMs: Math.max(0, lastTrouble - overAtMs),
  }
}
