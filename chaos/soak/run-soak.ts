import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { compareLedger } from '../load/compare-ledger.ts'
import { startFollower } from '../load/follower.ts'
import { startLedgerLoad } from '../load/ledger-load.ts'
import { rawSubscriber } from '../load/raw-subscriber.ts'
import { startReportLoad } from '../load/report-load.ts'
import { stillMissing } from '../load/still-missing.ts'
import type { Rig } from '../rig/rig.ts'
import { type Trend, trendOf } from './trend.ts'
import { RESOURCES, type Resource, type Sample, watchResources } from './watch-resources.ts'

export type SoakResult = {
  readonly minutes: number
  readonly perSecond: number
  readonly sent: number
  readonly lost: number
  readonly reports: number
  readonly subscribers: number
  readonly samples: readonly Sample[]
  readonly trends: Trends
  readonly problems: readonly string[]
}

export type SoakOptions = {
  readonly minutes: number
  readonly perSecond: number
  /** Where an API instance listens for an inspector once it is asked to. */
  readonly inspectPort: number
}

/** The planned load, together with 500 events a second. */
const REPORTS_PER_SECOND = 100
const SUBSCRIBERS = 200
/** Subscribers that check each message. */
const FOLLOWERS = 3
/** Few, so that a short stall does not open a thousand connections, with memory that would then be kept. */
const UNDER_WAY_MAX = 50
/** The share of the time in which caches, heaps and the history fill; not judged. */
const WARM_UP = 0.3
/**
 * Before that, this many times the load for a short time. The highest peak so far sets how many connections and how much
 * memory are kept, so without this each new peak would look like growth, for hours.
 */
const FILL_TIMES = 2
const FILL_MS = 30_000
const LIVE_WITHIN_MS = 5_000
/** From when an event was due. A sender that falls further behind does not hold the load. */
const SLOWEST_MS = 10_000

/** Runs the planned load for a long time, without faults. Resource use must not grow. */
export async function runSoak(rig: Rig, options: SoakOptions, signal: AbortSignal): Promise<SoakResult> {
  const { minutes, perSecond, inspectPort } = options
  const { apiUrl, apiKey, urls } = rig
  const name = `soak-${Date.now()}`
  const followers = Array.from({ length: FOLLOWERS }, () => startFollower(apiUrl, apiKey))
  const others: Socket[] = []
  try {
    await Promise.all(followers.map(({ subscribed }) => subscribed))
    while (others.length < SUBSCRIBERS - FOLLOWERS) others.push(await rawSubscriber(apiUrl, apiKey))
    await fill(rig, Math.min(FILL_MS, minutes * 60_000 * WARM_UP), perSecond, signal)
    const watched = await watchResources(rig, inspectPort)
    const load = startLedgerLoad({ apiUrl, apiKey, name, perSecond, underWayMax: UNDER_WAY_MAX, signal })
    const reports = startReportLoad(apiUrl, apiKey, REPORTS_PER_SECOND)
    await sleep(minutes * 60_000, undefined, { signal }).catch(() => {})
    const samples = await watched.stop()
    await load.stop()
    const { asked, failures } = await reports.stop()
    signal.throwIfAborted()
    const seen = followers.map((one) => one.figures())
    const acked = load.entries.filter(({ ackedAtMs }) => ackedAtMs !== undefined)
    const missing = () => seen.flatMap(({ received }) => acked.filter(({ eventId }) => !received.has(eventId))).length
    const missed = await stillMissing(missing, LIVE_WITHIN_MS)
    const ended = others.filter(({ destroyed }) => destroyed).length
    const { lost, rollupsEqual } = await compareLedger(urls.owner, name, load.entries)
    const trends = trendsOf(samples.slice(Math.floor(samples.length * WARM_UP)))
    const broken = seen.flatMap((one) => one.broken)
    const refused = load.entries.filter(({ refusals }) => refusals.length > 0).length
    const slowestMs = acked.reduce((most, { ackedAtMs, dueAtMs }) => Math.max(most, (ackedAtMs ?? 0) - dueAtMs), 0)
    const reportsRefused = Object.values(failures).reduce((sum, count) => sum + count, 0)
    return {
      minutes,
      perSecond,
      sent: load.entries.length,
      lost: lost.length,
      reports: asked,
      subscribers: SUBSCRIBERS,
      samples,
      trends,
      problems: [
        ...growthOf(trends),
        ...(lost.length > 0 ? [`${lost.length} events were lost`] : []),
        ...(rollupsEqual ? [] : ['the rollups do not equal the calls']),
        ...(acked.length < load.entries.length
          ? [`${load.entries.length - acked.length} events were never accepted`]
          : []),
        ...(slowestMs > SLOWEST_MS
          ? [`an event waited for ${Math.round(slowestMs)} ms: the load was not reached`]
          : []),
        ...(refused > 0 ? [`${refused} events were refused at first`] : []),
        ...(asked < 0.95 * REPORTS_PER_SECOND * minutes * 60 ? [`only ${asked} reports were sent`] : []),
        ...(reportsRefused > 0 ? [`${reportsRefused} reports were refused`] : []),
        ...(ended > 0 ? [`${ended} subscribers were closed`] : []),
        ...(missed > 0 ? [`${missed} messages were not delivered`] : []),
        ...(broken.length > 0 ? [`${broken.length} live frames were wrong: ${broken[0]}`] : []),
      ],
    }
  } finally {
    for (const one of followers) one.stop()
    for (const one of others) one.destroy()
  }
}

/** Grows pools, heaps and allocators to the size that a peak needs. */
async function fill({ apiUrl, apiKey }: Rig, ms: number, perSecond: number, signal: AbortSignal): Promise<void> {
  const rates = { perSecond: FILL_TIMES * perSecond, underWayMax: UNDER_WAY_MAX }
  const load = startLedgerLoad({ apiUrl, apiKey, name: `fill-${Date.now()}`, ...rates, signal })
  const reports = startReportLoad(apiUrl, apiKey, FILL_TIMES * REPORTS_PER_SECOND)
  await sleep(ms, undefined, { signal }).catch(() => {})
  await Promise.all([load.stop(), reports.stop()])
  signal.throwIfAborted()
}

type Trends = { readonly [R in Resource]: Trend }

function trendsOf(samples: readonly Sample[]): Trends {
  const entries = Object.entries(RESOURCES).map(([name, { matters }]) => {
    const values = samples.map((sample) => sample[name as Resource])
    return [name, trendOf(values, matters)]
  })
  return Object.fromEntries(entries)
}

function growthOf(trends: Trends): readonly string[] {
  return Object.entries(trends).flatMap(([name, { verdict, rise, low, high, mean }]) => {
    if (verdict === 'flat') return []
    const { title, unit } = RESOURCES[name as Resource]
    const by = `${rise.toFixed(0)} (${low.toFixed(0)} to ${high.toFixed(0)}) ${unit}`.trimEnd()
    return [`${title} ${verdict === 'grows' ? 'grew' : 'may have grown'} by ${by}, of ${mean.toFixed(0)}`]
  })
}
