/** Whether a run of hours ended as it began: latencies that creep up and memory that is not given back. */
import { TRAFFIC } from '@hopwhistle/contract/scenarios.ts'
import { bytes, ms } from '@hopwhistle/platform/document/figures.ts'
import { histogramCount, percentileMs } from '../../../scenarios/lib/histogram.ts'
import { totalsOf } from '../../../scenarios/lib/totals.ts'
import { duringPhase, type Evidence, mean, phaseTimes, type Rule, remark } from '../../evidence/evidence.ts'
import { trafficOf } from '../../evidence/traffic.ts'

/** Into how many equal parts the peak is divided. */
const PARTS = 20
/** A change by less matters to nobody. */
const LEAST_CHANGE = 0.1
/** Of the normal distribution: one run without a drift in a thousand is above it. */
const LEAST_Z = 3.29

export const drift: Rule = {
  name: 'drift',
  check(evidence) {
    if (evidence.result.profile !== 'soak') return []
    return [...latencies(evidence), ...memory(evidence)].flatMap(({ what, values, text }) => {
      const found = driftOf(values)
      if (found === undefined) return []
      const direction = found.last > found.first ? 'rises' : 'falls'
      return [
        remark(
          `drift: ${what} ${direction}, from ${text(found.first)} in the first quarter of the peak to ${text(found.last)} in the last`,
        ),
      ]
    })
  },
}

type Watched = { readonly what: string; readonly values: readonly number[]; readonly text: (value: number) => string }

function latencies({ result, kinds }: Evidence): readonly Watched[] {
  const peak = phaseTimes(result, 'peak')
  if (peak === undefined) return []
  const series = (result.series ?? []).filter(({ at }) => Date.parse(at) > peak.from && Date.parse(at) <= peak.to)
  return kinds.map((kind) => ({
    what: `p95 of ${TRAFFIC[kind].many}`,
    text: ms,
    values: partsOf(series).flatMap((part) => {
      const { latency } = trafficOf(kind, totalsOf(part), 'peak')
      return histogramCount(latency) === 0 ? [] : (percentileMs(latency, 95) ?? [])
    }),
  }))
}

function memory({ result, server }: Evidence): readonly Watched[] {
  if (server === undefined) return []
  const during = duringPhase(result, server)
  const pods = (server.kubernetes?.pods ?? []).map(({ pod, memoryBytes }) => ({ name: pod, memoryBytes }))
  return [...server.processes.filter(({ kind }) => kind !== 'sampler'), ...pods].map(({ name, memoryBytes }) => ({
    what: `memory of ${name}`,
    text: bytes,
    values: partsOf(during(memoryBytes)).flatMap((part) => mean(part) ?? []),
  }))
}

/** @returns no parts of what is too short to be divided */
function partsOf<T>(values: readonly T[]): readonly (readonly T[])[] {
  if (values.length < PARTS) return []
  const edge = (part: number) => Math.round((part * values.length) / PARTS)
  return Array.from({ length: PARTS }, (_, i) => values.slice(edge(i), edge(i + 1)))
}

/**
 * Tells a drift from noise by the Mann-Kendall test: whether later values are larger, or smaller, more often than chance
 * makes them, whatever their distribution.
 *
 * @returns the means of the first and of the last quarter; undefined without a drift
 */
export function driftOf(values: readonly number[]): { readonly first: number; readonly last: number } | undefined {
  const n = values.length
  let rising = 0
  values.forEach((value, i) => {
    for (const later of values.slice(i + 1)) rising += Math.sign(later - value)
  })
  const deviation = Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)
  if (n < PARTS || (Math.abs(rising) - 1) / deviation < LEAST_Z) return undefined
  const quarter = Math.floor(n / 4)
  const [first, last] = [mean(values.slice(0, quarter)) ?? 0, mean(values.slice(-quarter)) ?? 0]
  return Math.abs(last - first) > LEAST_CHANGE * first ? { first, last } : undefined
}
