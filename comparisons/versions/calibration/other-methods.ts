/** What is usually done instead, on the same windows. Each says whether `head` differs from `base` in one metric. */
import { median } from '../../measure/arithmetic.ts'
import type { Round, Side } from '../measured.ts'
import type { Metric } from '../metrics.ts'

/** Log values of all windows of a side, as if each were an observation of its own. */
export const windowsOf = ({ values }: Metric, rounds: readonly Round[], side: Side): readonly number[] =>
  rounds.flatMap((round) => values(round, side)).flatMap((value) => (value > 0 ? [Math.log(value)] : []))

/** What a percentage between two runs is made of. @returns a log ratio; undefined when a side has no window */
export function differenceOf(base: readonly number[], head: readonly number[]): number | undefined {
  if (base.length === 0 || head.length === 0) return undefined
  return median(head) - median(base)
}

/** Welch's t-test, two-sided. @returns its p-value; 1 when a side has fewer than two windows, or nothing varies */
export function welch(base: readonly number[], head: readonly number[]): number {
  if (base.length < 2 || head.length < 2) return 1
  const [a, b] = [moments(base), moments(head)]
  const squared = a.squaredError + b.squaredError
  if (squared === 0) return a.mean === b.mean ? 1 : 0
  const t = (b.mean - a.mean) / Math.sqrt(squared)
  const freedom = squared ** 2 / (a.squaredError ** 2 / (base.length - 1) + b.squaredError ** 2 / (head.length - 1))
  return incompleteBeta(freedom / 2, 0.5, freedom / (freedom + t * t))
}

function moments(values: readonly number[]): { readonly mean: number; readonly squaredError: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  return { mean, squaredError: variance / values.length }
}

/** Regularized, by its continued fraction (DLMF 8.17.22). */
function incompleteBeta(a: number, b: number, x: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(b, a, 1 - x)
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x)) / a
  let fraction = 1
  for (let m = TERMS; m > 0; m--) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    fraction = 1 + even / (1 + odd / fraction)
  }
  const first = (-(a + b) * x) / (a + 1)
  return front / (1 + first / fraction)
}

const TERMS = 200

/** Stirling's series, shifted to where four terms are exact to 12 digits. */
function logGamma(x: number): number {
  let [at, shift] = [x, 0]
  for (; at < 10; at++) shift += Math.log(at)
  const series = 1 / (12 * at) - 1 / (360 * at ** 3) + 1 / (1260 * at ** 5) - 1 / (1680 * at ** 7)
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - shift
}
