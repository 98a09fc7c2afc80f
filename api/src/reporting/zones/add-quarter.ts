import type { DurationHistogram, Sign } from '../duration-histogram.ts'
import type { MetricsSums } from '../metrics-sums.ts'

/**
 * Adds what a line of call_metrics_quarterly says from a place on: its COUNTS and, after a tab each, its two histograms.
 *
 * @param units of the lines, see codeUnits: there may be a million, which are read faster than from a string
 */
export function addQuarter(sums: MetricsSums, units: Uint16Array, at: number, sign: Sign): void {
  const ringAt = sums.addCounts(units, at, sign) + 1
  const talkAt = addText(sums.histograms.ring, units, ringAt, sign) + 1
  addText(sums.histograms.talk, units, talkAt, sign)
}

/**
 * Adds a histogram; up to the next tab, line end, or the end of the text.
 *
 * @returns the place behind it
 */
function addText(histogram: DurationHistogram, units: Uint16Array, from: number, sign: Sign): number {
  const { counts } = histogram
  const { length } = units
  let at = from
  let bucket = at < length ? (units[at] as number) - FIRST_CODE : -1
  // A tab or a line end.
  if (bucket < 0) return at
  let total = 0
  if (bucket < histogram.low) histogram.low = bucket
  for (at += 1; at < length; at++) {
    const unit = units[at] as number
    let count = unit - FIRST_CODE
    if (count < 0) break
    if (unit >= SURROGATES_FROM) {
      let code = unit
      if (unit <= SURROGATES_TO) {
        at += 1
        code = BEYOND_BMP + ((unit - SURROGATES_FROM) << 10) + (units[at] as number) - LOW_SURROGATES_FROM
      }
      count = code >= NEGATIVE_FROM ? code - LAST_CODE : code - FIRST_CODE - SURROGATES
    }
    // Not multiplied: that would be done with floats, for the sake of -0.
    counts[bucket] = sign === 1 ? (counts[bucket] as number) + count : (counts[bucket] as number) - count
    total += count
    bucket += 1
  }
  if (bucket - 1 > histogram.high) histogram.high = bucket - 1
  histogram.total += sign * total
  return at
}

// As hopwhistle.quarter_count_code says.
const FIRST_CODE = 32
const SURROGATES_FROM = 0xd800
const LOW_SURROGATES_FROM = 0xdc00
const SURROGATES_TO = 0xdfff
const SURROGATES = 2_048
const BEYOND_BMP = 0x10000
const NEGATIVE_FROM = 1_010_000
const LAST_CODE = 1_114_111
