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
  /** @returns the place behind them */
  addCounts(units: Uint16Array, from: number, sign: Sign): number
  addRow(row: SummedRow, sign?: Sign): void
  add(other: MetricsSums, sign?: Sign): void
  readonly counts: Float64Array
  readonly histograms: Readonly<Record<Duration, DurationHistogram>>
  /** How many calls have no final state. */
  underWay(): number
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

  function addCountsOf(units: Uint16Array, from: number, sign: Sign): number {
    let place = 0
    let value = 0
    let own: number = sign
    let at = from
    for (; at < units.length; at++) {
      const code = units[at] as number
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
      addCountsOf(codeUnits(row.body), 0, sign)
      for (const of of DURATIONS) {
        const histogram = row[`${of}_histogram` as const]
        const entries = row[`${of}_entries` as const]
        if (histogram !== null) addCounts(histograms[of], histogram, sign)
        if (entries !== null) addEntries(histograms[of], entries)
      }
    },
    add: (other, sign = 1) => {
      for (let i = 0; i < counts.length; i++) counts[i] = (counts[i] as number) + sign * (other.counts[i] as number)
      for (const of of DURATIONS) addHistogram(histograms[of], other.histograms[of], sign)
    },
    underWay: () => UNDER_WAY.reduce((sum, place) => sum + (counts[place] as number), 0),
    json: () => bucketJson(texts(counts, histograms)),
  }
}

/** The UTF-16 code units of a text, as `charCodeAt` gives them, on little-endian machines: those that the platform runs on. */
export function codeUnits(text: string): Uint16Array {
  const bytes = Buffer.from(text, 'utf16le')
  return new Uint16Array(bytes.buffer, bytes.byteOffset, text.length)
}

/** Without keys that are computed, which take much longer: there are 720 buckets in a month. */
function texts(counts: Float64Array, { ring, talk }: MetricsSums['histograms']): BucketTexts {
  const count = (name: Count) => String(counts[PLACE[name]])
  const average = (total: Count, of: Count) => {
    const calls = counts[PLACE[of]] as number
    return rounded(calls === 0 ? null : (counts[PLACE[total]] as number) / calls)
  }
  const [ring50, ring95, ring99] = percentiles(ring, PERCENTILES)
  const [talk50, talk95, talk99] = percentiles(talk, PERCENTILES)
  return {
    calls: count('calls'),
    initiated: count('initiated'),
    ringing: count('ringing'),
    answered: count('answered'),
    completed: count('completed'),
    busy: count('busy'),
    no_answer: count('no_answer'),
    failed: count('failed'),
    canceled: count('canceled'),
    inbound: count('inbound'),
    outbound: count('outbound'),
    connected: count('connected'),
    ring_count: count('ring_count'),
    talk_count: count('talk_count'),
    ring_total_ms: count('ring_total_ms'),
    talk_total_ms: count('talk_total_ms'),
    ring_average_ms: average('ring_total_ms', 'ring_count'),
    ring_p50_ms: rounded(ring50),
    ring_p95_ms: rounded(ring95),
    ring_p99_ms: rounded(ring99),
    talk_average_ms: average('talk_total_ms', 'talk_count'),
    talk_p50_ms: rounded(talk50),
    talk_p95_ms: rounded(talk95),
    talk_p99_ms: rounded(talk99),
  }
}

const PLACE = Object.fromEntries(COUNTS.map((count, i) => [count, i])) as Readonly<Record<Count, number>>
const UNDER_WAY = [PLACE.initiated, PLACE.ringing, PLACE.answered]
