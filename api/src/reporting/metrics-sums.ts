import type { DurationHistogram, Sign } from './duration-histogram.ts'
import {
  addCounts,
  addEntries,
  addHistogram,
  clearHistogram,
  emptyHistogram,
  percentiles,
} from './duration-histogram.ts'
import type { BucketTexts, Count, Duration } from './metrics-json.ts'
import { bucketJson, COUNTS, DURATIONS, rounded } from './metrics-json.ts'

/** What a row says of calls: COUNTS with commas between, in their order; and durations, each as bytes or as entries. */
export type SummedRow = { readonly body: string } & {
  readonly [K in `${Duration}_${'histogram' | 'entries'}`]: string | null
}

/** Counts and durations of calls while they are added up, and then again of others: what it costs is what was added. */
export type MetricsSums = {
  clear(): void
  /** @returns the place in the text behind them */
  addCounts(text: string, from: number, sign: Sign): number
  addRow(row: SummedRow, sign?: Sign): void
  add(other: MetricsSums): void
  readonly counts: Float64Array
  readonly histograms: Readonly<Record<Duration, DurationHistogram>>
  /** The JSON of a bucket, without braces. */
  json(): string
}

const PERCENTILES = [0.5, 0.95, 0.99] as const
const COMMA = 44
const MINUS = 45
const ZERO = 48

export function createSums(): MetricsSums {
  const counts = new Float64Array(COUNTS.length)
  const histograms = { ring: emptyHistogram(), talk: emptyHistogram() }

  function addCountsOf(text: string, from: number, sign: Sign): number {
    let place = 0
    let value = 0
    let own: number = sign
    let at = from
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === COMMA) {
        counts[place] = (counts[place] as number) + own * value
        place += 1
        value = 0
        own = sign
      } else if (code === MINUS) own = -sign
      else if (code < ZERO) break
      else value = value * 10 + code - ZERO
    }
    counts[place] = (counts[place] as number) + own * value
    return at
  }

  return {
    counts,
    histograms,
    clear: () => {
      counts.fill(0)
      for (const of of DURATIONS) clearHistogram(histograms[of])
    },
    addCounts: addCountsOf,
    addRow: (row, sign = 1) => {
      addCountsOf(row.body, 0, sign)
      for (const of of DURATIONS) {
        const histogram = row[`${of}_histogram` as const]
        const entries = row[`${of}_entries` as const]
        if (histogram !== null) addCounts(histograms[of], histogram, sign)
        if (entries !== null) addEntries(histograms[of], entries)
      }
    },
    add: (other) => {
      for (let i = 0; i < counts.length; i++) counts[i] = (counts[i] as number) + (other.counts[i] as number)
      for (const of of DURATIONS) addHistogram(histograms[of], other.histograms[of])
    },
    json: () => bucketJson(texts(counts, histograms)),
  }
}

/** Without objects made of entries, which take ten times as long: there are 720 buckets in a month. */
function texts(counts: Float64Array, histograms: MetricsSums['histograms']): BucketTexts {
  const texts: Partial<Record<keyof BucketTexts, string>> = {}
  for (let i = 0; i < COUNTS.length; i++) texts[COUNTS[i] as Count] = String(counts[i])
  for (const of of DURATIONS) {
    const { count, totalMs } = PLACES[of]
    const [p50, p95, p99] = percentiles(histograms[of], PERCENTILES)
    const calls = counts[count] as number
    texts[`${of}_average_ms`] = rounded(calls === 0 ? null : (counts[totalMs] as number) / calls)
    texts[`${of}_p50_ms`] = rounded(p50)
    texts[`${of}_p95_ms`] = rounded(p95)
    texts[`${of}_p99_ms`] = rounded(p99)
  }
  return texts as BucketTexts
}

const PLACES = {
  ring: { count: COUNTS.indexOf('ring_count'), totalMs: COUNTS.indexOf('ring_total_ms') },
  talk: { count: COUNTS.indexOf('talk_count'), totalMs: COUNTS.indexOf('talk_total_ms') },
} as const
