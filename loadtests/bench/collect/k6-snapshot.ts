/** What a running k6 says of itself over REST: cumulative counts, which add up over runners and subtract over time. */
import { splitCounters } from '../../scenarios/lib/bucket-names.ts'
import { subtractHistograms } from '../../scenarios/lib/histogram.ts'
import type { Totals } from '../../scenarios/lib/totals.ts'

export type K6Snapshot = Totals

type RestMetric = {
  readonly id: string
  readonly attributes: { readonly type: string; readonly sample?: { readonly count?: number } }
}

/** Where k6's REST API tells its metrics. */
export const METRICS_PATH = '/v1/metrics'

/** k6's own counters are named as in a result. */
const OWN = /^(iterations|dropped_iterations|http_reqs|data_sent|data_received|ws_.*|checks)$/

/**
 * @param address `host:port` of k6's REST API
 * @returns undefined when it does not answer, as before its start and at its end
 */
export async function readK6(address: string, timeoutMs = 1_000): Promise<K6Snapshot | undefined> {
  try {
    const response = await fetch(`http://${address}${METRICS_PATH}`, { signal: AbortSignal.timeout(timeoutMs) })
    return response.ok ? readSnapshot(await response.text()) : undefined
  } catch {
    return undefined
  }
}

/** What k6 answers at `METRICS_PATH`. @throws {Error} when it is not that */
export const readSnapshot = (json: string): K6Snapshot =>
  snapshotOf((JSON.parse(json) as { readonly data: readonly RestMetric[] }).data)

export function snapshotOf(metrics: readonly RestMetric[]): K6Snapshot {
  const counts: Record<string, number> = {}
  for (const { id, attributes } of metrics) {
    if (attributes.type !== 'counter') continue
    counts[OWN.test(id) ? `k6_${id}` : id] = attributes.sample?.count ?? 0
  }
  return splitCounters(counts)
}

/** What happened between two snapshots; names that did not move are left out. */
export function subtractSnapshots(later: K6Snapshot, earlier: K6Snapshot): K6Snapshot {
  const counters = Object.entries(later.counters)
    .map(([name, count]) => [name, count - (earlier.counters[name] ?? 0)] as const)
    .filter(([, count]) => count !== 0)
  const histograms = Object.entries(later.histograms)
    .map(([name, histogram]) => {
      const before = earlier.histograms[name]
      return [name, before === undefined ? histogram : subtractHistograms(histogram, before)] as const
    })
    .filter(([, { counts }]) => counts.length > 0)
  return { counters: Object.fromEntries(counters), histograms: Object.fromEntries(histograms) }
}
