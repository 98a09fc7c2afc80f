import { setTimeout as sleep } from 'node:timers/promises'
import type { Platform } from '../with-platform.ts'
import { type Comparison, compareLedger } from './compare-ledger.ts'
import type { Fault, Victims } from './faults.ts'
import { type Entry, startLedgerLoad } from './ledger-load.ts'

export type FaultResult = Comparison & {
  readonly title: string
  readonly sent: number
  readonly acknowledged: number
  /** Events that were not acknowledged the first time, by what their sender got: `503`, `none`, … */
  readonly refusals: Readonly<Record<string, number>>
  /** 503s that did not say when to come again. */
  readonly withoutRetryAfter: number
  /** The longest that an event took until it was acknowledged, its repetitions included. */
  readonly slowestMs: number
  /** From the end of the fault to the last refusal; 0 when there was none after it. */
  readonly recoveredAfterMs: number
}

const BEFORE_MS = 3_000
const AFTER_MS = 6_000

/** Load, the fault in the middle of it, and more load; then what was acknowledged against what is stored. */
export async function runFault(
  fault: Fault,
  victims: Victims,
  { apiUrl, apiKey, urls }: Pick<Platform, 'apiUrl' | 'apiKey' | 'urls'>,
  { name, perSecond }: { readonly name: string; readonly perSecond: number },
): Promise<FaultResult> {
  const load = startLedgerLoad({ apiUrl, apiKey, name, perSecond })
  await sleep(BEFORE_MS)
  await fault.inflict(victims)
  const overAt = Date.now()
  await sleep(AFTER_MS)
  await load.stop()
  return {
    title: fault.title,
    ...(await compareLedger(urls.owner, name, load.entries)),
    ...sumUp(load.entries, overAt),
  }
}

function sumUp(entries: readonly Entry[], overAt: number) {
  const all = entries.flatMap(({ refusals }) => refusals)
  const refusals: Record<string, number> = {}
  for (const { status } of entries.flatMap(({ refusals: [first] }) => (first === undefined ? [] : [first]))) {
    refusals[status] = (refusals[status] ?? 0) + 1
  }
  const acked = entries.filter(({ ackedAtMs }) => ackedAtMs !== undefined)
  return {
    sent: entries.length,
    acknowledged: acked.length,
    refusals,
    withoutRetryAfter: all.filter(({ status, retryAfter }) => status === 503 && !retryAfter).length,
    slowestMs: acked.reduce((most, { sentAtMs, ackedAtMs = 0 }) => Math.max(most, ackedAtMs - sentAtMs), 0),
    recoveredAfterMs: all.reduce((last, { atMs }) => Math.max(last, atMs - overAt), 0),
  }
}

/** What must hold of every fault; a sentence for each that does not. */
export function problemsOf(result: FaultResult): readonly string[] {
  const { lost, unknown, sent, acknowledged, rollupsEqual, refusals, withoutRetryAfter } = result
  const honest = new Set(['503', 'none'])
  return [
    ...(lost.length > 0 ? [`${lost.length} acknowledged events are not in Postgres, ${lost[0]} among them`] : []),
    ...(unknown.length > 0 ? [`${unknown.length} events are in Postgres that nobody sent`] : []),
    ...(acknowledged < sent ? [`${sent - acknowledged} events were not taken within a minute`] : []),
    ...(rollupsEqual ? [] : ['the rollups are not what the calls add up to']),
    ...Object.keys(refusals)
      .filter((status) => !honest.has(status))
      .map((status) => `${refusals[status]} events were refused with ${status}`),
    ...(withoutRetryAfter > 0 ? [`${withoutRetryAfter} times 503 came without Retry-After`] : []),
  ]
}
