/** How far a comparison can be trusted: what it and other methods say of a version that was compared with itself. */
import type { Round } from '../measured.ts'
import { effectsOf, METRICS, type Metric } from '../metrics.ts'
import { decide, type RoundEffect, type Rule } from '../statistics/decide.ts'
import { differenceOf, welch, windowsOf } from './other-methods.ts'

/** A comparison of equal versions, to the end of its time. */
export type EqualRun = { readonly rounds: readonly Round[] }

/** Slowdowns that are planted into what was recorded. */
export const PLANTED = [0.02, 0.05, 0.1, 0.2] as const

export const METHODS = {
  ours: 'make compare',
  threshold: 'a threshold of 5 % on two runs, one after the other',
  difference: 'a difference of 5 % in one run of both',
  welch: "Welch's t-test on all windows, p < 0.01",
} as const
export type Method = keyof typeof METHODS

const THRESHOLD = Math.log(1.05)
const SIGNIFICANT = 0.01

export type Share = { readonly of: number; readonly found: number }

export type Trust = {
  /** Comparisons of equal versions in which a method says of any metric that it is slower or faster. */
  readonly falseAlarms: Readonly<Record<Method, Share>>
  /** Comparisons in which a planted slowdown of this size was found, by each method, in each metric. */
  readonly found: readonly {
    readonly change: number
    readonly metric: Metric
    readonly by: Readonly<Record<Method, Share>>
  }[]
}

/** @param runs in the order in which they were made: two runs, one after the other, are a run and the next one */
export function trustOf(runs: readonly EqualRun[], rule: Rule): Trust {
  const says = (method: Method, run: number, metric: Metric, change: number): boolean =>
    SAYS[method]({ rounds: runs[run]!.rounds, next: runs[(run + 1) % runs.length]!.rounds, metric, change, rule })
  const share = (method: Method, said: (run: number) => boolean): Share => {
    // A single run has no next one.
    const counted = method === 'threshold' && runs.length < 2 ? [] : runs
    return { of: counted.length, found: counted.filter((_, run) => said(run)).length }
  }
  const each = (said: (method: Method, run: number) => boolean): Readonly<Record<Method, Share>> =>
    Object.fromEntries(
      (Object.keys(METHODS) as Method[]).map((method) => [method, share(method, (run) => said(method, run))]),
    ) as Record<Method, Share>
  return {
    falseAlarms: each((method, run) => METRICS.some((metric) => says(method, run, metric, 0))),
    found: PLANTED.flatMap((planted) =>
      METRICS.map((metric) => ({
        change: planted,
        metric,
        by: each((method, run) => says(method, run, metric, Math.log(1 + planted))),
      })),
    ),
  }
}

type Case = {
  readonly rounds: readonly Round[]
  readonly next: readonly Round[]
  readonly metric: Metric
  /** As a log ratio, to the worse. */
  readonly change: number
  readonly rule: Rule
}

/** Whether a method says `slower`; of equal versions, `slower` or `faster`. */
const SAYS: Readonly<Record<Method, (one: Case) => boolean>> = {
  ours: ({ rounds, metric, change, rule }) => {
    const planted = effectsOf(metric, rounds).map(
      ({ effect, servers }): RoundEffect => ({ effect: effect + change, servers }),
    )
    const { answer } = decide(planted, rule)
    return answer === 'slower' || (change === 0 && answer === 'faster')
  },
  threshold: ({ rounds, next, metric, change }) => exceeds(metric, change, rounds, next),
  difference: ({ rounds, metric, change }) => exceeds(metric, change, rounds, rounds),
  welch: ({ rounds, metric, change }) => {
    const [base, head] = [windowsOf(metric, rounds, 'base'), plant(metric, rounds, change)]
    return welch(base, head) < SIGNIFICANT && (change === 0 || signOf(metric) * (differenceOf(base, head) ?? 0) > 0)
  },
}

function exceeds(metric: Metric, change: number, before: readonly Round[], after: readonly Round[]): boolean {
  const difference = differenceOf(windowsOf(metric, before, 'base'), plant(metric, after, change)) ?? 0
  return (change === 0 ? Math.abs(difference) : signOf(metric) * difference) > THRESHOLD
}

const signOf = ({ worse }: Metric): 1 | -1 => (worse === 'more' ? 1 : -1)

function plant(metric: Metric, rounds: readonly Round[], change: number): readonly number[] {
  return windowsOf(metric, rounds, 'head').map((value) => value + signOf(metric) * change)
}

/** Wilson's interval for a share, with 95 % confidence. @returns 0 to 1 */
export function wilson({ of, found }: Share): readonly [low: number, high: number] {
  if (of === 0) return [0, 1]
  const z = 1.96
  const share = found / of
  const middle = (share + z ** 2 / (2 * of)) / (1 + z ** 2 / of)
  const half = (z / (1 + z ** 2 / of)) * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2))
  return [Math.max(0, middle - half), Math.min(1, middle + half)]
}
