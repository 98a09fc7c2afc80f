/**
 * E-divisive (Matteson and James, 2014) on ranks, with a permutation test.
 *
 * A segment is split where the energy distance between both sides is largest, when such a distance is rare among
 * shuffled values; then it does the same on each side. The shuffles are split at their own best place, so p accounts for having
 * searched for it. Ranks instead of values: one run that is far off counts no more than one that is just the slowest.
 *
 * At the end each change is looked for again between its neighbours. It moves to the best place there, or is dropped.
 */
import { seededRandom } from '@hopwhistle/contract/traffic/report-queries.ts'
import { median } from '@hopwhistle/platform/lib/median.ts'
import type { ChangePoint } from './change-point.ts'

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
  if (to - from < 2 * options.leastRuns) return undefined
  const ranks = ranksOf(values.slice(from, to))
  const { distance, end } = clearest(ranks, options.leastRuns)
  const p = distance === 0 ? 1 : chanceOf(ranks, distance, options)
  if (p > options.maxP) return undefined
  return { index: from + placeOf(values.slice(from, from + end), options.leastRuns), p }
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

/**
 * The largest energy distance, scaled by the sizes, between what is left of a border and what is right of it, up to any
 * end: a level that comes back would else hide in what is right.
 */
function clearest(ranks: Float64Array, leastRuns: number): { readonly distance: number; readonly end: number } {
  const count = ranks.length
  const width = count + 1
  // sums[k * width + t]: the distances of rank k to the first t ranks, as far as these come before it.
  const sums = new Float64Array(count * width)
  for (let k = 0; k < count; k++) {
    let sum = 0
    for (let t = 0; t < k; t++) {
      sum += Math.abs(ranks[k]! - ranks[t]!)
      sums[k * width + t + 1] = sum
    }
  }
  let best = { distance: 0, end: count }
  let inLeft = 0
  for (let border = 1; border <= count - leastRuns; border++) {
    inLeft += sums[(border - 1) * width + border - 1]!
    if (border < leastRuns) continue
    const left = border
    let [between, inRight] = [0, 0]
    for (let end = border + 1; end <= count; end++) {
      const row = (end - 1) * width
      between += sums[row + border]!
      inRight += sums[row + end - 1]! - sums[row + border]!
      const right = end - border
      if (right < leastRuns) continue
      const distance = (2 / end) * (between - (right * inLeft) / (left - 1) - (left * inRight) / (right - 1))
      if (distance > best.distance) best = { distance, end }
    }
  }
  return best
}

/** Ranks without ties are the same numbers whatever was measured: so are the shuffles of a length. */
const known = new Map<string, Float64Array>()

/** @returns the share of shuffles that are as far apart as `distance`; more than maxP when that is all that is known */
function chanceOf(ranks: Float64Array, distance: number, { leastRuns, maxP }: Options): number {
  // Sums in another order differ in their last digits.
  const least = distance * (1 - 1e-12)
  const sorted = ranks.toSorted()
  const hasTies = sorted.some((rank, i) => rank !== i)
  const next = shuffles(sorted, leastRuns)
  const p = (further: number) => (1 + further) / (1 + SHUFFLES)
  if (hasTies) {
    let further = 0
    for (let i = 0; i < SHUFFLES && p(further) <= maxP; i++) if (next() >= least) further += 1
    return p(further)
  }
  const key = `${leastRuns} ${ranks.length}`
  const distances = known.get(key) ?? Float64Array.from({ length: SHUFFLES }, next)
  known.set(key, distances)
  return p(distances.reduce((count, one) => (one >= least ? count + 1 : count), 0))
}

/** @returns what shuffles the ranks again at each call, and says their largest distance */
function shuffles(ranks: Float64Array, leastRuns: number): () => number {
  const random = seededRandom(SEED)
  return () => {
    for (let i = ranks.length - 1; i > 0; i--) {
      const other = Math.floor(random() * (i + 1))
      const rank = ranks[i]!
      ranks[i] = ranks[other]!
      ranks[other] = rank
    }
    return clearest(ranks, leastRuns).distance
  }
}
