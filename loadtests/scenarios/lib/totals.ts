/** Counts that add up: of all runners of a result, of all windows of a run. Used by k6 and by Node. */
import type { HistogramData, PhaseName } from '../../results-format.ts'
import { mergeHistograms } from './histogram.ts'

export type Totals = {
  readonly counters: Readonly<Record<string, number>>
  readonly histograms: Readonly<Record<string, HistogramData>>
}

/** @throws {RangeError} when the parts counted in buckets of different shape */
export function totalsOf(parts: readonly Totals[]): Totals {
  const counters: Record<string, number> = {}
  const histograms = new Map<string, HistogramData[]>()
  for (const part of parts) {
    for (const [name, count] of Object.entries(part.counters)) counters[name] = (counters[name] ?? 0) + count
    for (const [name, histogram] of Object.entries(part.histograms)) {
      histograms.set(name, [...(histograms.get(name) ?? []), histogram])
    }
  }
  return {
    counters,
    histograms: Object.fromEntries([...histograms].map(([name, list]) => [name, mergeHistograms(list)])),
  }
}

/** A counter; one that was never touched is 0. */
export const countOf = (totals: Totals, name: string): number => totals.counters[name] ?? 0

/** Every histogram `<name>_<phase>` and `<name>_<word>_<phase>` as one. */
export function latencyOf(name: string, { histograms }: Totals, phase: PhaseName): HistogramData {
  const mine = Object.entries(histograms).filter(
    ([key]) => key === `${name}_${phase}` || (key.startsWith(`${name}_`) && key.endsWith(`_${phase}`)),
  )
  return mergeHistograms(mine.map(([, histogram]) => histogram))
}
