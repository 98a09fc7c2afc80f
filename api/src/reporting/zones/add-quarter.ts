import type { DurationHistogram, Sign } from '../duration-histogram.ts'
import type { MetricsSums } from '../metrics-sums.ts'

const TAB = 9
const LINE_END = 10

/** Adds what a line of call_metrics_quarterly says from a place on: its COUNTS and, after a tab each, its two histograms. */
export function addQuarter(sums: MetricsSums, text: string, at: number, sign: Sign): void {
  const ringAt = sums.addCounts(text, at, sign) + 1
  const talkAt = addText(sums.histograms.ring, text, ringAt, sign) + 1
  addText(sums.histograms.talk, text, talkAt, sign)
}

/**
 * Adds a histogram; up to the next tab, line end, or the end of the text.
 *
 * @returns the place behind it
 */
function addText(histogram: DurationHistogram, text: string, from: number, sign: Sign): number {
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
