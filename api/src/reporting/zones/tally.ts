import { bucketEstimateMs } from '../duration-histogram.ts'
import type { BucketTexts, Count, Duration } from '../metrics-json.ts'
import { bucketJson, COUNTS, DURATIONS } from '../metrics-json.ts'
import { rounded } from '../metrics-report.ts'

/** Counts and durations of a bucket while it is put together, and then of the next: what it costs is what was added. */
export type Tally = {
  clear(): void
  /** Adds COUNTS with commas between, in their order. */
  addCounts(text: string, sign: Sign): void
  /** Adds what a line of a quarter says from there on: its COUNTS and, after a tab each, its two histograms. */
  addQuarter(text: string, at: number, sign: Sign): void
  /** Adds a histogram as call_metrics_hourly keeps it, in the text form of bytea. */
  addBytes(of: Duration, bytes: string, sign: Sign): void
  /** Adds signed entries as call_metrics_pending keeps them, in the text form of an array. */
  addEntries(of: Duration, entries: string): void
  add(other: Tally): void
  readonly counts: Float64Array
  readonly histograms: Readonly<Record<Duration, Histogram>>
  /** The JSON of a bucket, without braces. */
  json(): string
}

export type Sign = 1 | -1

/** Counts by log bucket (see duration-histogram.ts); only buckets from `low` to `high` were ever touched. */
type Histogram = { readonly counts: Float64Array; low: number; high: number }

/** The bucket of the largest bigint, and room to spare. */
const BUCKETS = 2_200
const PERCENTILES = [0.5, 0.95, 0.99] as const

const TAB = 9
const LINE_END = 10
const COMMA = 44
const MINUS = 45
const ZERO = 48

export function createTally(): Tally {
  const counts = new Float64Array(COUNTS.length)
  const histograms = { ring: emptyHistogram(), talk: emptyHistogram() }

  /** @returns the place behind them */
  function addCounts(text: string, from: number, sign: Sign): number {
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
      for (const of of DURATIONS) clear(histograms[of])
    },
    addCounts: (text, sign) => void addCounts(text, 0, sign),
    addQuarter: (text, at, sign) => {
      const ringAt = addCounts(text, at, sign) + 1
      const talkAt = addText(histograms.ring, text, ringAt, sign) + 1
      addText(histograms.talk, text, talkAt, sign)
    },
    addBytes: (of, hex, sign) => {
      const bytes = Buffer.from(hex.slice(2), 'hex')
      const first = bytes.readInt16BE(0)
      for (let at = 2; at < bytes.length; at += 4) {
        put(histograms[of], first + (at - 2) / 4, sign * bytes.readInt32BE(at))
      }
    },
    addEntries: (of, entries) => {
      if (entries === '{}') return
      for (const entry of entries.slice(1, -1).split(',')) {
        put(histograms[of], Math.abs(Number(entry)), Math.sign(Number(entry)))
      }
    },
    add: (other) => {
      for (let i = 0; i < counts.length; i++) counts[i] = (counts[i] as number) + (other.counts[i] as number)
      for (const of of DURATIONS) {
        const { low, high, counts: added } = other.histograms[of]
        const own = histograms[of]
        for (let bucket = low; bucket <= high; bucket++) {
          own.counts[bucket] = (own.counts[bucket] as number) + (added[bucket] as number)
        }
        own.low = Math.min(own.low, low)
        own.high = Math.max(own.high, high)
      }
    },
    json: () => bucketJson(texts(counts, histograms)),
  }
}

function emptyHistogram(): Histogram {
  return { counts: new Float64Array(BUCKETS), low: BUCKETS, high: -1 }
}

function clear(histogram: Histogram): void {
  if (histogram.high >= 0) histogram.counts.fill(0, histogram.low, histogram.high + 1)
  histogram.low = BUCKETS
  histogram.high = -1
}

function put(histogram: Histogram, bucket: number, count: number): void {
  histogram.counts[bucket] = (histogram.counts[bucket] as number) + count
  if (bucket < histogram.low) histogram.low = bucket
  if (bucket > histogram.high) histogram.high = bucket
}

/**
 * Adds a histogram as call_metrics_quarterly keeps it; up to the next tab, line end, or the end of the text.
 *
 * @returns the place behind it
 */
function addText(histogram: Histogram, text: string, from: number, sign: Sign): number {
  const { counts } = histogram
  let at = from
  let code = text.charCodeAt(at)
  if (at >= text.length || code === TAB || code === LINE_END) return at
  let bucket = code - FIRST_CODE
  if (bucket < histogram.low) histogram.low = bucket
  for (at += 1; at < text.length; at++) {
    code = text.charCodeAt(at)
    if (code === TAB || code === LINE_END) break
    let count = code - FIRST_CODE
    if (code >= SURROGATES_FROM) {
      if (code <= SURROGATES_TO) {
        code = text.codePointAt(at) as number
        at += 1
      }
      count = code >= NEGATIVE_FROM ? code - LAST_CODE : code - FIRST_CODE - SURROGATES
    }
    counts[bucket] = (counts[bucket] as number) + sign * count
    bucket += 1
  }
  if (bucket - 1 > histogram.high) histogram.high = bucket - 1
  return at
}

// As hopwhistle.quarter_count_code says.
const FIRST_CODE = 32
const SURROGATES_FROM = 0xd800
const SURROGATES_TO = 0xdfff
const SURROGATES = 2_048
const NEGATIVE_FROM = 1_010_000
const LAST_CODE = 1_114_111

/** A tenth of the time that objects made of entries take, and there are 720 buckets in a month. */
function texts(counts: Float64Array, histograms: Readonly<Record<Duration, Histogram>>): BucketTexts {
  const texts: Partial<Record<keyof BucketTexts, string>> = {}
  for (let i = 0; i < COUNTS.length; i++) texts[COUNTS[i] as Count] = String(counts[i])
  for (const of of DURATIONS) {
    const { count, totalMs } = PLACES[of]
    const [p50, p95, p99] = percentilesOf(histograms[of])
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

/** The same rule as percentiles() of duration-histogram.ts, over the buckets that were touched. */
function percentilesOf({ counts, low, high }: Histogram): readonly (number | null)[] {
  let total = 0
  for (let bucket = low; bucket <= high; bucket++) total += counts[bucket] as number
  if (total <= 0) return NO_PERCENTILES
  let bucket = low - 1
  let below = 0
  return PERCENTILES.map((share) => {
    const wanted = Math.max(1, Math.ceil(share * total))
    while (below < wanted && bucket < high) {
      bucket += 1
      below += counts[bucket] as number
    }
    return bucketEstimateMs(bucket)
  })
}

const NO_PERCENTILES = PERCENTILES.map(() => null)
