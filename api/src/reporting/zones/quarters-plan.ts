import type { ZonedRange } from './zoned-range.ts'

/**
 * How the buckets of a range are put together from rollups by the UTC day and by the quarter of an hour.
 *
 * An hour is its four quarters: `parts` is the whole range. A longer bucket is whole UTC days, from the midnight that is
 * nearest to where it begins until that nearest to where it ends, and what is wrong at both ends: the quarters between such a
 * border and its midnight are added to one of its two buckets and taken from the other. So 30 days of Kolkata are read as 30
 * rows by the day and 31 times 22 by the quarter.
 */
export type QuartersPlan = {
  readonly days: { readonly fromMs: number; readonly toMs: number }
  /** Which quarters are read; of longer buckets those at border i, none where it is a midnight. */
  readonly parts: readonly { readonly fromMs: number; readonly toMs: number }[]
  /** Of longer buckets: +1 when the quarters of part i lie behind its midnight, and so belong to the bucket that ends there. */
  readonly signs: readonly (1 | -1)[] | undefined
  /** Of longer buckets: the midnight that is nearest to each border. */
  readonly midnights: readonly number[]
}

const DAY_MS = 24 * 3_600_000

/** @returns undefined when the buckets are hours or days of UTC, of which there are rollups as they are sent */
export function quartersPlan(range: ZonedRange): QuartersPlan | undefined {
  const { granularity, borders, fromMs, toMs } = range
  if (granularity === 'hour') {
    if (areEvery(borders, DAY_MS / 24)) return undefined
    return {
      days: { fromMs: toMs, toMs },
      parts: [{ fromMs, toMs }],
      signs: undefined,
      midnights: [],
    }
  }
  if (granularity === 'day' && areEvery(borders, DAY_MS)) return undefined
  const midnights = borders.map((border) => Math.round(border / DAY_MS) * DAY_MS)
  return {
    days: { fromMs: midnights[0] as number, toMs: midnights.at(-1) as number },
    parts: borders.map((border, i) => {
      const midnight = midnights[i] as number
      return { fromMs: Math.min(border, midnight), toMs: Math.max(border, midnight) }
    }),
    signs: borders.map((border, i) => (border > (midnights[i] as number) ? 1 : -1)),
    midnights,
  }
}

function areEvery(borders: readonly number[], lengthMs: number): boolean {
  return (
    (borders[0] as number) % lengthMs === 0 &&
    borders.every((border, i) => border === (borders[0] as number) + i * lengthMs)
  )
}

/** The bucket that a quarter of an hour is in. */
export function bucketAt(borders: readonly number[], atMs: number): number {
  let [low, high] = [0, borders.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((borders[middle] as number) <= atMs) low = middle
    else high = middle
  }
  return low
}
