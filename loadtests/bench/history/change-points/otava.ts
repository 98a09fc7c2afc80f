/**
 * The yardstick: the method of Apache Otava 0.8 (formerly DataStax Hunter), with its defaults. It splits sliding windows
 * by E-divisive as long as Student's t-test sees a difference at ten times the limit, and then drops the weakest splits
 * until all that are left are below the limit. Written here to run it on the same series; a test compares it with what
 * Otava itself finds.
 *
 * Fleming et al., "Hunter: Using Change Point Detection to Hunt for Performance Regressions" (2023).
 */
import { studentT } from '@hopwhistle/platform/lib/student-t.ts'
import type { ChangePoint } from './change-point.ts'

const WINDOW = 50
const MAX_P = 0.001
const FIRST_MAX_P = 10 * MAX_P

/** @param values in the order in which they were measured */
export function otavaChanges(values: readonly number[]): readonly ChangePoint[] {
  return merged(values, splits(values))
}

function splits(values: readonly number[]): readonly number[] {
  const found = new Set<number>()
  for (let start = 0; start < values.length; ) {
    const inWindow = splitsOfWindow(values.slice(start, start + WINDOW))
    for (const index of inWindow) found.add(start + index)
    start = Math.max(inWindow.length === 0 ? 0 : start + inWindow.at(-1)!, start + WINDOW / 2)
  }
  return [...found].sort((a, b) => a - b)
}

function splitsOfWindow(values: readonly number[]): readonly number[] {
  const found: number[] = []
  for (;;) {
    const bounds = [0, ...found, values.length]
    const candidates = bounds.slice(1).flatMap((to, i) => {
      const from = bounds[i]!
      return to - from < 2 ? [] : [{ ...bestSplit(values, from, to), from, to }]
    })
    const [first, ...others] = candidates
    if (first === undefined) return found
    const best = others.reduce((a, b) => (b.distance > a.distance ? b : a), first)
    if (tTest(values, best.from, best.index, best.to).p > FIRST_MAX_P) return found
    found.push(best.index)
    found.sort((a, b) => a - b)
  }
}

/** The border, and the end of what is on its right, between which the energy distance is largest. */
function bestSplit(values: readonly number[], from: number, to: number) {
  const count = to - from
  // before[k][t]: the distances of value k to the first t values.
  const before = Array.from({ length: count }, (_, k) => {
    const sums = [0]
    for (let t = 0; t < count; t++) sums.push(sums[t]! + Math.abs(values[from + k]! - values[from + t]!))
    return sums
  })
  let best = { index: from + 1, distance: Number.NEGATIVE_INFINITY }
  let inLeft = 0
  for (let border = 1; border < count; border++) {
    inLeft += before[border - 1]![border - 1]!
    let [between, inRight] = [0, 0]
    for (let end = border + 1; end <= count; end++) {
      const last = before[end - 1]!
      between += last[border]!
      inRight += last[end - 1]! - last[border]!
      const [left, right] = [border, end - border]
      const distance =
        (2 * between) / end -
        (left > 1 ? (2 * right * inLeft) / (end * (left - 1)) : 0) -
        (right > 1 ? (2 * left * inRight) / (end * (right - 1)) : 0)
      if (distance > best.distance) best = { index: from + border, distance }
    }
  }
  return best
}

/**
 * After a split is dropped, Otava tests its right neighbour and the one after that again; the left one keeps the p that
 * it had.
 */
function merged(values: readonly number[], found: readonly number[]): readonly ChangePoint[] {
  const test = (indexes: readonly number[], i: number) => ({
    index: indexes[i]!,
    ...tTest(values, indexes[i - 1] ?? 0, indexes[i]!, indexes[i + 1] ?? values.length),
  })
  let tests = found.map((_, i) => test(found, i))
  for (;;) {
    const [first, ...others] = tests
    if (first === undefined) return []
    let weakest = others.reduce((a, b) => (b.p > a.p ? b : a), first)
    if (weakest.p < MAX_P) {
      weakest = others.reduce((a, b) => (b.change < a.change ? b : a), first)
      if (weakest.change > 0) return tests.map(({ index, p }) => ({ index, p }))
    }
    const dropped = tests.indexOf(weakest)
    const left = tests.toSpliced(dropped, 1)
    const indexes = left.map(({ index }) => index)
    tests = left.map((kept, i) => (i === dropped || i === dropped + 1 ? test(indexes, i) : kept))
  }
}

/** Student's t-test with Otava's standard deviations: of a population, not of a sample. */
function tTest(values: readonly number[], from: number, index: number, to: number) {
  const [left, right] = [moments(values, from, index), moments(values, index, to)]
  const change = Math.max(relative(left.mean, right.mean), relative(right.mean, left.mean))
  const freedom = left.count + right.count - 2
  if (freedom <= 0) return { p: 1, change }
  const pooled = ((left.count - 1) * left.variance + (right.count - 1) * right.variance) / freedom
  const error = Math.sqrt(pooled * (1 / left.count + 1 / right.count))
  if (error === 0) return { p: left.mean === right.mean ? 1 : 0, change }
  return { p: studentT((left.mean - right.mean) / error, freedom), change }
}

const relative = (from: number, to: number): number => (from === 0 ? 0 : Math.abs(to / from - 1))

function moments(values: readonly number[], from: number, to: number) {
  const count = to - from
  let sum = 0
  for (let i = from; i < to; i++) sum += values[i]!
  const mean = sum / count
  let squares = 0
  for (let i = from; i < to; i++) squares += (values[i]! - mean) ** 2
  return { count, mean, variance: squares / count }
}
