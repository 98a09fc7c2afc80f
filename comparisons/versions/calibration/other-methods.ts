/** What is usually done instead, on the same windows. Each says whether `head` differs from `base` in one metric. */
import { studentT } from '@hopwhistle/platform/lib/student-t.ts'
import { median } from '../../arithmetic.ts'
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
  return studentT(t, freedom)
}

function moments(values: readonly number[]): { readonly mean: number; readonly squaredError: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  return { mean, squaredError: variance / values.length }
}
