import type { HistogramData } from '../../results-format.ts'
import { histogramCount, percentileMs } from '../../scenarios/lib/histogram.ts'
import { countOf, latencyOf } from '../../scenarios/lib/totals.ts'
import { type Evidence, evidenceOf } from '../evidence/evidence.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { PHASES, trafficOf } from '../evidence/traffic.ts'
import type { DeliveryFacts, LoadFacts, Percentiles } from './facts.ts'
import { known, rounded } from './stat.ts'

export function loadFacts(result: LoadtestResult): LoadFacts {
  const evidence = evidenceOf(result)
  const { peak, kinds, totals, peakSeconds } = evidence
  const settings = result.runners[0]?.settings
  const ramp = settings?.phases.find(({ name }) => name === 'ramp')
  const inAll = PHASES.map((phase) => trafficOf(kinds[0], totals, phase))
  return known({
    rampSeconds: ramp === undefined ? 0 : ramp.toSeconds - ramp.fromSeconds,
    peakSeconds,
    settings: Object.fromEntries(
      Object.entries(settings ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    ),
    sent: peak.sent,
    ok: peak.ok,
    failed: peak.sent - peak.ok,
    sentInAll: inAll.reduce((sum, { sent }) => sum + sent, 0),
    okInAll: inAll.reduce((sum, { ok }) => sum + ok, 0),
    latency: percentilesOf(peak.latency),
    endpoints: kinds.includes('reports') ? endpoints(evidence) : undefined,
    delivery: kinds.includes('messages') ? delivery(evidence) : undefined,
  })
}

export function percentilesOf(histogram: HistogramData): Percentiles | undefined {
  const at = (percent: number) => percentileMs(histogram, percent)
  const [p50, p95, p99, p999, max] = [at(50), at(95), at(99), at(99.9), at(100)]
  if (p50 === undefined || p95 === undefined || p99 === undefined || p999 === undefined || max === undefined) {
    return undefined
  }
  return { p50: rounded(p50), p95: rounded(p95), p99: rounded(p99), p999: rounded(p999), max: rounded(max) }
}

function endpoints({ totals }: Evidence): NonNullable<LoadFacts['endpoints']> {
  return Object.entries(totals.histograms).flatMap(([key, histogram]) => {
    const [, name] = /^report_latency_(.+)_peak$/.exec(key) ?? []
    const percentiles = percentilesOf(histogram)
    if (name === undefined || percentiles === undefined) return []
    return [{ name, count: histogramCount(histogram), ...percentiles }]
  })
}

function delivery({ totals, result }: Evidence): DeliveryFacts {
  const of = (name: string) => percentilesOf(latencyOf(name, totals, 'peak'))
  return known({
    due: countOf(totals, 'messages_due'),
    delivered: countOf(totals, 'messages_delivered'),
    lost: countOf(totals, 'messages_lost'),
    duplicated: countOf(totals, 'messages_duplicated'),
    reordered: countOf(totals, 'messages_reordered'),
    frames: countOf(totals, 'frames_received'),
    subscribers: result.runners[0]?.settings.subscribers ?? countOf(totals, 'subscribers_connected'),
    reconnected: countOf(totals, 'subscribers_reconnected'),
    publish: of('publish_latency'),
    receiveLag: of('receive_lag'),
    scheduleLag: of('schedule_lag'),
  })
}
