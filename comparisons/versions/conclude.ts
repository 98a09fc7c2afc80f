/** From the windows to the answer: nothing is measured here, so that a record gives the same answer whenever it is read. */
import { median } from '../arithmetic.ts'
import { type ComparisonRecord, type Round, SIDES } from './measured.ts'
import { effectsOf, METRICS, type Metric } from './metrics.ts'
import { type Answer, type Decision, decide, MISS, type Rule } from './statistics/decide.ts'
import { scalesOf } from './statistics/evidence.ts'
import { moreRounds, smallestSeen } from './statistics/foresee.ts'
import { type Interval, intervalOf } from './statistics/interval.ts'

export type MetricConclusion = Decision & {
  readonly metric: Metric
  /** Rounds in which both sides had a value. */
  readonly rounds: number
  /** Medians of the rounds; undefined without any. */
  readonly base: number | undefined
  readonly head: number | undefined
  /** Log ratio of head to base, whichever way is worse. */
  readonly change: number | undefined
  readonly interval: Interval
  /** The smallest slowdown that would have been found in these rounds, as a log ratio; undefined: none up to twice. */
  readonly smallestSeen: number | undefined
  /** Until it is decided; 0 when it is, infinite when more rounds like these would not, undefined: too early to tell. */
  readonly moreMinutes: number | undefined
}

export type Conclusion = {
  /** `slower` when one metric is; else `undecided` when one is; else `faster` when one is. */
  readonly answer: Answer
  readonly metrics: readonly MetricConclusion[]
}

/** @param margin the change that matters: 0.05 is 5 % */
export const ruleFor = (margin: number): Rule => ({ metrics: METRICS.length, margin: Math.log(1 + margin) })

/** After each round. @returns the decisions in the order of the metrics */
export const decideAll = (rounds: readonly Round[], rule: Rule): readonly Decision[] =>
  METRICS.map((metric) => decide(effectsOf(metric, rounds), rule))

export function overall(decisions: readonly Pick<Decision, 'answer'>[]): Answer {
  const some = (answer: Answer) => decisions.some((decision) => decision.answer === answer)
  return some('slower') ? 'slower' : some('undecided') ? 'undecided' : some('faster') ? 'faster' : 'same'
}

export function conclude({ rounds, secondsTaken }: ComparisonRecord, rule: Rule): Conclusion {
  const minutesEach = secondsTaken / 60 / Math.max(1, rounds.length)
  const metrics = METRICS.map((metric) => concludeMetric(metric, rounds, rule, minutesEach))
  return { answer: overall(metrics), metrics }
}

function concludeMetric(metric: Metric, rounds: readonly Round[], rule: Rule, minutesEach: number): MetricConclusion {
  const observed = effectsOf(metric, rounds)
  const effects = observed.map(({ effect }) => effect)
  const sign = metric.worse === 'more' ? 1 : -1
  const { low, high } = intervalOf(effects, scalesOf(effects), MISS)
  const decision = decide(observed, rule)
  const more = decision.answer === 'undecided' ? moreRounds(observed, rule) : 0
  const [base, head] = SIDES.map((side) => {
    const values = rounds.flatMap((round) => metric.values(round, side))
    return values.length === 0 ? undefined : median(values)
  })
  return {
    ...decision,
    metric,
    rounds: observed.length,
    base,
    head,
    change: effects.length === 0 ? undefined : sign * median(effects),
    interval: sign === 1 ? { low, high } : { low: -high, high: -low },
    smallestSeen: smallestSeen(observed, rule),
    moreMinutes: more === undefined ? undefined : more * minutesEach,
  }
}
