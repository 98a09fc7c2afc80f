/** Reaches the verdict on one run by itself. */

import { evidenceOf, type Part } from '../evidence/evidence.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { measuredWithUnit, targetText } from '../evidence/metric-text.ts'
import type { Metric, Outcome, Reason, Verdict } from '../evidence/verdict.ts'
import { rulesFor } from './rules/rules.ts'

/**
 * Judges the runners of a result together, against the contract's targets. Pure: the same result, the same verdict.
 *
 * A run is judged only when every rule of `rules/` holds; else it is `invalid`, its figures are shown and prove nothing.
 *
 * @param part a step is judged against the rate that it was set to
 * @throws {Error} when the scenario is not one of the contract's, or buckets of different shape cannot be added
 */
export function judgeRun(result: LoadtestResult, part: Part = 'whole'): Verdict {
  const evidence = evidenceOf(result, part)
  const found = rulesFor(result).flatMap((rule) =>
    rule.check(evidence).map((reason): Reason => ({ rule: rule.name, ...reason })),
  )
  const misses = evidence.metrics.filter(({ status }) => status === 'missed').map(missed)
  const isInvalid = found.some(({ effect }) => effect === 'invalid')
  const outcome: Outcome = isInvalid ? 'invalid' : misses.length > 0 ? 'missed' : 'met'
  return {
    scenario: evidence.scenario,
    profile: result.profile,
    outcome,
    reasons: [
      ...found.filter(({ effect }) => effect === 'invalid'),
      ...(isInvalid ? [] : misses),
      ...found.filter(({ effect }) => effect === 'remark'),
    ],
    metrics: isInvalid ? evidence.metrics.map((metric) => ({ ...metric, status: 'invalid' })) : evidence.metrics,
  }
}

const missed = (metric: Metric): Reason => ({
  rule: 'target',
  effect: 'missed',
  text: `${metric.label} is ${measuredWithUnit(metric)}; the target is ${targetText(metric)} ${metric.unit}`,
})
