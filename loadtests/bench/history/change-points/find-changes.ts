/**
 * E-divisive (Matteson and James, 2014) on ranks, with a permutation test.
 *
 * A segment is split where the energy distance between both sides is largest, when such a distance is rare among
 * shuffled values; then each side likewise. The shuffles are split at their own best place, so p accounts for having
 * searched for it. Ranks instead of values: one run that is far off counts no more than one that is just the slowest.
 *
 * At the end each change is looked for again between its neighbours. It moves to the best place there, or is dropped.
 */
import { seededRandom } from '@hopwhistle/contract/traffic/report-queries.ts'
import type { ChangePoint } from './change-point.ts'
import { median } from './median.ts'

export type Options = {
  /** A change is said when its p is at most this. */
  readonly maxP: number
  /** On each side of a change: fewer runs may be outliers. */
  readonly leastRuns: number
}

export const DEFAULTS: Options = { maxP: 0.001, leastRuns: 3 }
/** The smallest p is one in so many, plus one. */
const SHUFFLES = 1999
const SEED = 1
/** Changes that push each other around settle at once, or never. */
const MOST_PASSES = 5

/**
 * @param values in the order in which they were measured
 * @returns in the same order; the same values give the same changes
 * @example findChanges([...Array(20).fill(0).map((_, i) => i % 3), ...Array(20).fill(0).map((_, i) => 10 + (i % 3))])
 * // [{ index: 20, p: 0.0005 }]
 */
export function findChanges(values: readonly number[], options: Options = DEFAULTS): readonly ChangePoint[] {
  return settled(values, divided(values, 0, values.length, options), options)
}

function divided(values: readonly number[], from: number, to: number, options: Options): readonly ChangePoint[] {
  const split = significantSplit(values, from, to, options)
  if (split === undefined) return []
  return [...divided(values, from, split.index, options), split, ...divided(values, split.index, to, options)]
}

function settled(values: readonly number[], found: readonly ChangePoint[], options: Options): readonly ChangePoint[] {
  let splits = found
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const before = splits
    const bounds = [0, ...before.map(({ index }) => index), values.length]
    splits = before.flatMap((_, i) => significantSplit(values, bounds[i]!, bounds[i + 2]!, options) ?? [])
    if (splits.length === before.length && splits.every(({ index }, i) => index === before[i]!.index)) return splits
  }
  return splits
}

function significantSplit(
  values: readonly number[],
  from: number,
  to: number,
  options: Options,
): ChangePoint | undefined {
  const ranks = ranksOf(values.slice(from, to))
  const best = bestSplit(ranks, options.leastRuns)
  if (best === undefined || best.distance === 0) return undefined
  const least = countAtLeast(shuffledDistances(ranks, options.leastRuns), best.distance)
  const p = (1 + least) / (1 + SHUFFLES)
  return p <= options.maxP ? { index: from + placeOf(values.slice(from, to), options.leastRuns), p } : undefined
}

/**
 * Where two levels fit best: the distances to the median of each side are least. Ranks know that there is a change, but
 * not how large each distance is, and so place it less exactly.
 */
function placeOf(values: readonly number[], leastRuns: number): number {
  let best = { index: 0, misfit: Number.POSITIVE_INFINITY }
  for (let border = leastRuns; border <= values.length - leastRuns; border++) {
    const misfit = misfitOf(values.slice(0, border)) + misfitOf(values.slice(border))
    if (misfit < best.misfit) best = { index: border, misfit }
  }
  return best.index
}

function misfitOf(values: readonly number[]): number {
  const middle = median(values)
  return values.reduce((sum, value) => sum + Math.abs(value - middle), 0)
}

/** Equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): Float64Array {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!)
  const ranks = new Float64Array(values.length)
  for (let first = 0; first < order.length; ) {
    let last = first
    while (last + 1 < order.length && values[order[last + 1]!] === values[order[first]!]) last += 1
    for (let i = first; i <= last; i++) ranks[order[i]!] = (first + last) / 2
    first = last + 1
  }
  return ranks
}

/** Where the energy distance between both sides, scaled by their sizes, is largest. */
function bestSplit(ranks: Float64Array, leastRuns: number): { index: number; distance: number } | undefined {
  const count = ranks.length
  if (count < 2 * leastRuns) return undefined
  // Distances of each value to all others, and to those before it: what one move of the border adds and takes away.
  const toAll = new Float64Array(count)
  const toEarlier = new Float64Array(count)
  let inRight = 0
  for (let i = 0; i < count; i++) {
    let earlier = 0
    for (let j = 0; j < i; j++) {
      const distance = Math.abs(ranks[i]! - ranks[j]!)
      earlier += distance
      toAll[j]! += distance
    }
    toEarlier[i] = earlier
    toAll[i]! += earlier
    inRight += earlier
  }
  let [inLeft, between] = [0, 0]
  let best: { index: number; distance: number } | undefined
  for (let border = 1; border <= count - leastRuns; border++) {
    const moved = border - 1
    const toLater = toAll[moved]! - toEarlier[moved]!
    inLeft += toEarlier[moved]!
    inRight -= toLater
    between += toLater - toEarlier[moved]!
    if (border < leastRuns) continue
    const [left, right] = [border, count - border]
    const distance =
      (2 * between) / count -
      (left > 1 ? (2 * right * inLeft) / (count * (left - 1)) : 0) -
      (right > 1 ? (2 * left * inRight) / (count * (right - 1)) : 0)
    if (best === undefined || distance > best.distance) best = { index: border, distance }
  }
  return best
}

/** Ranks without ties are the same numbers whatever was measured: so are the shuffles of a length. */
const known = new Map<string, Float64Array>()

/** The largest distances in shuffled ranks, ascending. */
function shuffledDistances(ranks: Float64Array, leastRuns: number): Float64Array {
  const sorted = ranks.toSorted()
  const hasTies = sorted.some((rank, i) => rank !== i)
  const key = `${leastRuns} ${ranks.length}`
  const before = hasTies ? undefined : known.get(key)
  if (before !== undefined) return before
  const random = seededRandom(SEED)
  const distances = Float64Array.from({ length: SHUFFLES }, () => {
    for (let i = sorted.length - 1; i > 0; i--) {
      const other = Math.floor(random() * (i + 1))
      const rank = sorted[i]!
      sorted[i] = sorted[other]!
      sorted[other] = rank
    }
    return bestSplit(sorted, leastRuns)!.distance
  }).sort()
  if (!hasTies) known.set(key, distances)
  return distances
}

function countAtLeast(ascending: Float64Array, distance: number): number {
  // Sums in another order differ in their last digits.
  const least = distance * (1 - 1e-12)
  const first = ascending.findIndex((value) => value >= least)
  return first < 0 ? 0 : ascending.length - first
}
