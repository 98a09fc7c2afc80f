/** Whether everything that was counted adds up: in k6, in the API and in Postgres. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { TRAFFIC, type TrafficKind } from '@hopwhistle/contract/scenarios.ts'
import { EVENTS_OF_CDR } from '@hopwhistle/contract/traffic/provider-callbacks.ts'
import { number, plural } from '@hopwhistle/platform/document/figures.ts'
import { RUNNER_PORT } from '../../../kubernetes/test-run.ts'
import type { HistogramData, TrendData } from '../../../results-format.ts'
import { bucketEstimateMs, histogramCount } from '../../../scenarios/lib/histogram.ts'
import { SENDING_PHASES } from '../../../scenarios/lib/phases.ts'
import { SETUP_REQUESTS } from '../../../scenarios/lib/result.ts'
import { countOf, latencyOf, type Totals, totalsOf } from '../../../scenarios/lib/totals.ts'
import {
  broken,
  type Evidence,
  invalid,
  isDistributed,
  isWatched,
  type Rule,
  remark,
  sampledLateBy,
} from '../../evidence/evidence.ts'
import { readSeriesName } from '../../evidence/series-name.ts'
import { PHASES, trafficOf } from '../../evidence/traffic.ts'

/** Every request that was sent has ended, well or not, and k6 itself counts no fewer. */
export const requestsAddUp: Rule = {
  name: 'requests-add-up',
  check({ kinds, totals }) {
    const requests = kinds.filter((kind) => kind !== 'messages')
    const traffic = requests.flatMap((kind) =>
      SENDING_PHASES.map((phase) => ({ phase, ...trafficOf(kind, totals, phase) })),
    )
    const reasons = traffic
      .filter(({ sent, ok, failed }) => ok + failed > sent)
      .map(({ phase, sent, ok, failed }) =>
        invalid(
          `${number(ok + failed)} requests of the ${phase} ended (${number(ok)} well, ${number(failed)} not), ` +
            `and ${number(sent)} were sent`,
        ),
      )
    const unanswered = traffic.reduce((sum, { sent, ok, failed }) => sum + Math.max(0, sent - ok - failed), 0)
    if (unanswered > 0) reasons.push(invalid(`${plural(unanswered, 'request')} sent and neither answered nor failed`))
    const sent = traffic.reduce((sum, phase) => sum + phase.sent, 0)
    const own = countOf(totals, 'k6_http_reqs') - countOf(totals, SETUP_REQUESTS)
    if (own < sent) {
      reasons.push(invalid(`the scenario counted ${plural(sent, 'request')} and k6 itself ${number(own)}`))
    }
    return reasons
  },
}

/** There are as many latencies in the buckets as things were timed: else percentiles are of something else. */
export const bucketsAddUp: Rule = {
  name: 'buckets-add-up',
  check({ kinds, totals }) {
    return kinds.flatMap((kind) => (kind === 'messages' ? deliveries(totals) : answers(kind, totals)))
  },
}

/** Every answer is timed. */
function answers(kind: TrafficKind, totals: Totals) {
  return PHASES.flatMap((phase) => {
    const { ok, failed, latency } = trafficOf(kind, totals, phase)
    return compareTimed(`requests of the ${phase}`, ok + failed, histogramCount(latency))
  })
}

/** Every delivery is timed. */
function deliveries(totals: Totals) {
  const timed = PHASES.reduce((sum, phase) => sum + histogramCount(latencyOf('delivery_latency', totals, phase)), 0)
  const delivered = countOf(totals, 'messages_delivered')
  // What comes twice may be timed twice, when a frame brings it together with something new.
  const twice = countOf(totals, 'messages_duplicated')
  return timed >= delivered && timed <= delivered + twice ? [] : compareTimed('messages delivered', delivered, timed)
}

const compareTimed = (what: string, counted: number, timed: number) =>
  counted === timed ? [] : [invalid(`${number(counted)} ${what} were counted, and ${number(timed)} latencies recorded`)]

/** The windows watched during the run hold no more than was counted in the end; what came after the last is not seen. */
export const seriesAddUp: Rule = {
  name: 'series-add-up',
  check({ result, totals, kinds }) {
    const { series = [] } = result
    if (series.length === 0 && isWatched(result)) {
      return [
        invalid(
          `no window was seen of the run: the runners' port ${RUNNER_PORT} did not answer through the API server, ` +
            'and their counts are not compared with any',
        ),
      ]
    }
    const watched = totalsOf(series)
    return kinds.flatMap(sentCounters).flatMap((name) => {
      const [seen, counted] = [countOf(watched, name), countOf(totals, name)]
      if (seen <= counted) return []
      return [
        invalid(`the windows of the run add up to ${number(seen)} ${name}, and its end counted ${number(counted)}`),
      ]
    })
  },
}

/** Those that count what was sent; of messages, what was published. */
function sentCounters(kind: TrafficKind): string[] {
  const { counters } = TRAFFIC[kind]
  return SENDING_PHASES.map((phase) => `${'sent' in counters ? counters.sent : counters.ok}_${phase}`)
}

/** k6 keeps these of a part of the samples only, so that they are not those of the buckets. */
const SAMPLED = new Set(['delivery_latency_peak'])
/** What rounding to a microsecond may add. */
const ROUNDING_MS = 0.0006

/**
 * k6's own percentiles, of its raw samples, agree with those from buckets to the buckets' error. Only of a runner that
 * carried the whole load: the percentiles of several cannot be merged.
 */
export const percentileGrid: Rule = {
  name: 'percentile-grid',
  check({ result: { runners }, peak }) {
    const [runner] = runners
    if (runner === undefined || runners.length > 1) return []
    if (peak.sent > 0 && Object.keys(runner.trends).length === 0) {
      return [invalid("k6's own percentiles are missing: those from buckets are not compared with any")]
    }
    const totals = totalsOf([runner])
    return Object.entries(runner.trends).flatMap(([name, trend]) => {
      const histogram = latencyOf(name.replace(/_peak$/, ''), totals, 'peak')
      if (!name.endsWith('_peak') || SAMPLED.has(name) || trend.count === 0) return []
      const count = histogramCount(histogram)
      if (count !== trend.count) {
        return [invalid(`k6 has ${number(trend.count)} samples of ${name}, and the buckets hold ${number(count)}`)]
      }
      const off = differences(trend, histogram)
      const [worst] = off.toSorted((a, b) => b.by - a.by)
      if (worst === undefined) return []
      const range =
        worst.low === worst.high ? number(worst.low, 2) : `${number(worst.low, 2)} to ${number(worst.high, 2)}`
      return [
        invalid(
          `${plural(off.length, 'percentile')} of ${name} ${off.length === 1 ? 'differs' : 'differ'} from k6's own by more than 1 %, most p${worst.percent}: ` +
            `${number(worst.value, 2)} ms, and ${range} ms from buckets`,
        ),
      ]
    })
  },
}

type Difference = { percent: number; value: number; low: number; high: number; by: number }

/** k6 draws a line between the two samples nearest to a percentile: it may lie anywhere between their buckets. */
function differences(trend: TrendData, histogram: HistogramData): Difference[] {
  const estimateAt = estimates(histogram)
  return trend.percentiles.flatMap(([percent, value]) => {
    const place = (percent / 100) * (trend.count - 1)
    const low = estimateAt(Math.floor(place + 1e-9))
    const high = estimateAt(Math.ceil(place - 1e-9))
    // The error is relative to the value, not to the estimate.
    const [least, greatest] = [low / (1 + histogram.relativeError), high / (1 - histogram.relativeError)]
    const by = Math.max(least - value, value - greatest) - ROUNDING_MS
    // Everything up to the smallest edge shares one bucket, whatever its size.
    return by <= 0 || value <= histogram.minMs ? [] : [{ percent, value, low, high, by: by / value }]
  })
}

/** The estimate of the sample at a place, from 0, among all sorted ones. */
function estimates(histogram: HistogramData): (place: number) => number {
  const ends: [end: number, ms: number][] = []
  let end = 0
  for (const [index, count] of histogram.counts) {
    end += count
    ends.push([end, bucketEstimateMs(index, histogram)])
  }
  return (place) => (ends.find(([until]) => place < until) ?? ends.at(-1))?.[1] ?? 0
}

/** The first and the last sample lie a moment off the test's ends, and a request may end unseen. */
const TOLERANCE = 0.005

/** The API counted the same requests and deliveries as k6 did. */
export const apiCounters: Rule = {
  name: 'api-counters',
  check(evidence) {
    const { server, kinds, totals, result } = evidence
    const runners = result.runners.length
    const missing = unsampledInstances(result)
    if (missing.length > 0) return missing
    if (server === undefined || server.api.length === 0) return []
    const unanswered = server.api.filter(({ unanswered }) => unanswered > 0)
    const reasons = unanswered.map(({ instance, unanswered }) =>
      remark(`${instance} left ${plural(unanswered, 'request')} for its metrics unanswered`),
    )
    // Those of a part of the run: `collected-late` tells of it.
    if (sampledLateBy(result) > 0) return reasons
    const compared = kinds.flatMap((kind) => {
      if (kind !== 'messages') {
        const sent = sentCounters(kind).reduce((all, name) => all + countOf(totals, name), 0)
        const { many, routes } = TRAFFIC[kind]
        const retried = PHASES.reduce((sum, phase) => sum + countOf(totals, `${kind}_retried_${phase}`), 0)
        return compareCounted(many, sent, requests(evidence, routes), runners, retried)
      }
      const delivered = countOf(totals, 'messages_delivered')
      const { publishers = 0, subscribers = 0 } = result.runners[0]?.settings ?? {}
      // Each publisher's farewell goes to every subscriber and is none of the messages.
      const farewells = publishers * subscribers
      return compareCounted('deliveries', delivered, sum(evidence, METRICS.liveDelivered), runners, farewells)
    })
    return [...reasons, ...compared]
  },
}

/** What instances that were not sampled counted is not known. */
function unsampledInstances(result: Evidence['result']) {
  const { api = [], apiInstances = 0 } = result.server ?? {}
  if (api.length >= apiInstances || (isDistributed(result) && !isWatched(result))) return []
  const which = `${api.length} of ${plural(apiInstances, 'API instance')}`
  return [invalid(`${which} answered when its metrics were asked for: it is not known what the API counted`)]
}

function requests(evidence: Evidence, routes: readonly string[]): number {
  return sum(evidence, METRICS.httpRequests, ({ route = '' }) => routes.includes(route))
}

function sum({ server }: Evidence, name: string, matches = (_: Readonly<Record<string, string>>) => true): number {
  let total = 0
  for (const { totals } of server?.api ?? []) {
    for (const [series, grown] of Object.entries(totals)) {
      const read = readSeriesName(series)
      if (read.name === name && matches(read.labels)) total += grown
    }
  }
  return total
}

/** @param besides how much the API may count that k6 does not */
function compareCounted(what: string, byK6: number, byApi: number, runners: number, besides = 0) {
  // One request of k6's `setup` for each runner is in there too.
  const allowed = Math.max(9 + runners, byK6 * TOLERANCE)
  if (byApi >= byK6 - allowed && byApi <= byK6 + besides + allowed) return []
  return [invalid(`k6 counted ${number(byK6)} ${what}, and the API ${number(byApi)}`)]
}

/** Every event that was acknowledged is in Postgres: a 2xx means committed. */
export const databaseRows: Rule = {
  name: 'database-rows',
  check({ server, kinds, totals }) {
    const rows = server?.postgres?.rowsOfRun
    const storing = kinds.filter((kind) => TRAFFIC[kind].stores)
    if (storing.length === 0) return []
    if (rows === undefined) {
      if (server?.rowsOfRunId === undefined) return []
      return [invalid('the events of this run were not counted in Postgres: it is not known whether all are there')]
    }
    const traffic = storing.flatMap((kind) => PHASES.map((phase) => trafficOf(kind, totals, phase)))
    const inAll = (name: string) => PHASES.reduce((sum, phase) => sum + countOf(totals, `${name}_${phase}`), 0)
    // A request may be of several events.
    const acknowledged = traffic.reduce((sum, { ok }) => sum + ok, inAll('updates_more_events'))
    const retried = inAll('publish_retried')
    // What was not answered in time may have been stored all the same.
    const most = inAll('updates_more_events') > 0 ? EVENTS_OF_CDR : 1
    const unsure = traffic.reduce((sum, { sent, ok }) => sum + most * Math.max(0, sent - ok), retried)
    if (rows.events >= acknowledged && rows.events <= acknowledged + unsure) return []
    const claim = `the API acknowledged ${number(acknowledged)} events, and Postgres holds ${number(rows.events)} of this run`
    // More are those that were stored and whose answer k6 did not live to see.
    return [rows.events < acknowledged ? broken(claim) : invalid(claim)]
  },
}
