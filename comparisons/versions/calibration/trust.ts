/** How far a comparison can be trusted: what it and other methods say when the truth is known. */
import type { Round } from '../measured.ts'
import { effectsOf, METRICS, type Metric } from '../metrics.ts'
import { decide, type RoundEffect, type Rule } from '../statistics/decide.ts'
import { differenceOf, welch, windowsOf } from './other-methods.ts'

/** A comparison to the end of its time. */
export type ComparedRun = { readonly rounds: readonly Round[] }

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
  readonly falseAlarms: ByMethod
  /** Comparisons in which a planted slowdown of this size was found, in each metric. */
  readonly found: readonly { readonly change: number; readonly metric: Metric; readonly by: ByMethod }[]
}

type ByMethod = Readonly<Record<Method, Share>>

/** @param runs in the order in which they were made: two runs, one after the other, are a run and the next one */
export function trustOf(runs: readonly ComparedRun[], rule: Rule): Trust {
  const says = sayings(runs, rule)
  return {
    falseAlarms: byMethod(runs, (method, run) => METRICS.some((metric) => says(method, run, metric, 0) !== undefined)),
    found: PLANTED.flatMap((planted) =>
      METRICS.map((metric) => ({
        change: planted,
        metric,
        by: byMethod(runs, (method, run) => says(method, run, metric, Math.log(1 + planted)) === 'slower'),
      })),
    ),
  }
}

/** Of a version that is really slower in one metric. */
export type Detection = {
  readonly found: ByMethod
  /** How much slower it was, over all rounds: 0.05 is 5 %, with twice its standard error; undefined without rounds. */
  readonly slowdown: { readonly mean: number; readonly twiceError: number } | undefined
}

/** @param runs as for `trustOf` */
export function detectionOf(runs: readonly ComparedRun[], metric: Metric, rule: Rule): Detection {
  const says = sayings(runs, rule)
  const effects = runs.flatMap(({ rounds }) => effectsOf(metric, rounds)).map(({ effect }) => effect)
  return {
    found: byMethod(runs, (method, run) => says(method, run, metric, 0) === 'slower'),
    slowdown: effects.length < 2 ? undefined : meanOf(effects),
  }
}

function meanOf(effects: readonly number[]): { mean: number; twiceError: number } {
  const mean = effects.reduce((sum, effect) => sum + effect, 0) / effects.length
  const variance = effects.reduce((sum, effect) => sum + (effect - mean) ** 2, 0) / (effects.length - 1)
  return { mean: Math.expm1(mean), twiceError: 2 * Math.sqrt(variance / effects.length) }
}

function byMethod(runs: readonly ComparedRun[], said: (method: Method, run: number) => boolean): ByMethod {
  const share = (method: Method): Share => {
    // A single run has no next one.
    const counted = method === 'threshold' && runs.length < 2 ? [] : runs
    return { of: counted.length, found: counted.filter((_, run) => said(method, run)).length }
  }
  return { ours: share('ours'), threshold: share('threshold'), difference: share('difference'), welch: share('welch') }
}

type Said = 'slower' | 'faster' | undefined

type Case = {
  readonly rounds: readonly Round[]
  readonly next: readonly Round[]
  readonly metric: Metric
  /** Planted, as a log ratio, to the worse. */
  readonly change: number
  readonly rule: Rule
}

const sayings =
  (runs: readonly ComparedRun[], rule: Rule) =>
  (method: Method, run: number, metric: Metric, change: number): Said =>
    SAYS[method]({ rounds: runs[run]!.rounds, next: runs[(run + 1) % runs.length]!.rounds, metric, change, rule })

const SAYS: Readonly<Record<Method, (one: Case) => Said>> = {
  ours: ({ rounds, metric, change, rule }) => {
    const planted = effectsOf(metric, rounds).map(
      ({ effect, servers }): RoundEffect => ({ effect: effect + change, servers }),
    )
    const { answer } = decide(planted, rule)
    return answer === 'slower' || answer === 'faster' ? answer : undefined
  },
  threshold: ({ rounds, next, metric, change }) => exceeds(metric, change, rounds, next),
  difference: ({ rounds, metric, change }) => exceeds(metric, change, rounds, rounds),
  welch: ({ rounds, metric, change }) => {
    const [base, head] = [windowsOf(metric, rounds, 'base'), plant(metric, rounds, change)]
    return welch(base, head) < SIGNIFICANT ? directionOf(metric, differenceOf(base, head) ?? 0) : undefined
  },
}

function exceeds(metric: Metric, change: number, before: readonly Round[], after: readonly Round[]): Said {
  const difference = differenceOf(windowsOf(metric, before, 'base'), plant(metric, after, change)) ?? 0
  return Math.abs(difference) > THRESHOLD ? directionOf(metric, difference) : undefined
}

function directionOf(metric: Metric, difference: number): Said {
  if (difference === 0) return undefined
  return signOf(metric) * difference > 0 ? 'slower' : 'faster'
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
