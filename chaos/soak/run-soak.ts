import { setTimeout as sleep } from 'node:timers/promises'
import { compareLedger } from '../load/compare-ledger.ts'
import { startFollower } from '../load/follower.ts'
import { startLedgerLoad } from '../load/ledger-load.ts'
import { startReportLoad } from '../load/report-load.ts'
import type { Rig } from '../platform/rig.ts'
import { type Trend, trendOf } from './trend.ts'
import { RESOURCES, type Resource, type Sample, watchResources } from './watch-resources.ts'

export type SoakResult = {
  readonly minutes: number
  readonly perSecond: number
  readonly sent: number
  readonly lost: number
  readonly samples: readonly Sample[]
  readonly trends: { readonly [R in Resource]: Trend }
  readonly problems: readonly string[]
}

const FOLLOWERS = 20
/** Caches, pools, heaps and the history fill first. */
const WARM_UP = 0.3

/** The load of the brief and nothing else, for long; what is used must not become more and more. */
export async function runSoak(rig: Rig, minutes: number, perSecond: number, signal: AbortSignal): Promise<SoakResult> {
  const { apiUrl, apiKey, urls } = rig
  const name = `soak-${Date.now()}`
  const followers = Array.from({ length: FOLLOWERS }, () => startFollower(apiUrl, apiKey))
  await Promise.all(followers.map(({ subscribed }) => subscribed))
  const watched = await watchResources(rig)
  const load = startLedgerLoad({ apiUrl, apiKey, name, perSecond })
  const reports = startReportLoad(apiUrl, apiKey)
  await sleep(minutes * 60_000, undefined, { signal }).catch(() => {})
  const samples = await watched.stop()
  await load.stop()
  const { failures } = await reports.stop()
  for (const one of followers) one.stop()
  signal.throwIfAborted()

  const { lost, rollupsEqual } = await compareLedger(urls.owner, name, load.entries)
  const settled = samples.slice(Math.floor(samples.length * WARM_UP))
  const names = Object.keys(RESOURCES) as Resource[]
  const trends = Object.fromEntries(names.map((of) => [of, trendOf(settled.map((sample) => sample[of]))])) as {
    [R in Resource]: Trend
  }
  const broken = followers.flatMap((one) => one.figures().broken)
  const refused = load.entries.filter(({ refusals }) => refusals.length > 0).length
  const reportsRefused = Object.values(failures).reduce((sum, count) => sum + count, 0)
  return {
    minutes,
    perSecond,
    sent: load.entries.length,
    lost: lost.length,
    samples,
    trends,
    problems: [
      ...names.flatMap((of) => {
        const { grows, rise, mean } = trends[of]
        const { title, unit } = RESOURCES[of]
        return grows ? [`${title} grew by ${rise.toFixed(0)} ${unit}, of ${mean.toFixed(0)}`] : []
      }),
      ...(lost.length > 0 ? [`${lost.length} events were lost`] : []),
      ...(rollupsEqual ? [] : ['the rollups are not what the calls add up to']),
      ...(refused > 0 ? [`${refused} events were refused at first`] : []),
      ...(reportsRefused > 0 ? [`${reportsRefused} reports were refused`] : []),
      ...(broken.length > 0 ? [`${broken.length} live frames were wrong: ${broken[0]}`] : []),
    ],
  }
}
