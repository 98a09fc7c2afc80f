import { number, plural } from '@hopwhistle/platform/document/figures.ts'
import type { HistogramData, TrendData } from '../../../results-format.ts'
import { bucketEstimateMs, histogramCount } from '../../../scenarios/lib/histogram.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'
import { latencyOf, totalsOf } from '../../evidence/totals.ts'

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
  check({ result: { runners } }) {
    const [runner] = runners
    if (runner === undefined || runners.length > 1) return []
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
