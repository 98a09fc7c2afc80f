/**
 * The answer where the targets are not reached: the largest rate that was carried, from shorter steps at smaller rates.
 *
 * A step holds when its evidence is valid and every target is met at the rate that it was set to. A load that is missed
 * or invalid becomes `missed` with that rate as soon as one step is valid; where none is, nothing is proved at any rate,
 * and it stays what it was. What must not happen at any rate stays invalid, too.
 */

import { list, number } from '@hopwhistle/platform/document/figures.ts'
import { provesTargets } from '../../scenarios/lib/profiles.ts'
import { hasCrashed } from '../evidence/evidence.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import type { Carried, Metric, Reason, Step, Verdict } from '../evidence/verdict.ts'
import { factsOf } from '../findings/facts-of.ts'
import { limitText } from '../findings/limit-text.ts'
import { judgeRun } from './judge-run.ts'

/** Whether a smaller rate may be an answer. */
export const isQuestionOfRate = ({ outcome, reasons }: Pick<Verdict, 'outcome' | 'reasons'>): boolean =>
  outcome !== 'met' && !reasons.some(({ broken }) => broken)

/** A step as it is judged: in the environment of the run that it belongs to. */
export const judgeStep = (step: LoadtestResult, { environment }: Pick<LoadtestResult, 'environment'>): Verdict =>
  judgeRun({ ...step, ...(environment === undefined ? {} : { environment }) }, 'step')

/** @returns undefined when no step was made, or none that is of this run */
export function carriedBy(result: LoadtestResult): Carried | undefined {
  const tried = (result.steps ?? [])
    .filter((step) => isStepOf(step, result))
    .map((step) => ({ result: step, ratePerSecond: rateOf(step), verdict: judgeStep(step, result) }))
  if (tried.length === 0) return undefined
  const best = tried
    .filter(({ verdict }) => verdict.outcome === 'met')
    .reduce<(typeof tried)[number] | undefined>((a, b) => (a && a.ratePerSecond >= b.ratePerSecond ? a : b), undefined)
  const ratePerSecond = best?.ratePerSecond ?? 0
  const failed = tried
    .filter((one) => one.verdict.outcome !== 'met' && one.ratePerSecond > ratePerSecond)
    .toSorted((a, b) => a.ratePerSecond - b.ratePerSecond)[0]
  const limit = failed ?? { result, ratePerSecond: rateOf(result), verdict: judgeRun(result) }
  return {
    ratePerSecond,
    metrics: best?.verdict.metrics ?? [],
    limitedBy: limitOf(limit.result, limit.verdict),
    limitedAtPerSecond: limit.ratePerSecond,
    steps: tried.map(({ ratePerSecond, verdict }): Step => {
      const why = verdict.reasons.find(({ effect }) => effect !== 'remark')?.text
      return { ratePerSecond, outcome: verdict.outcome, ...(why === undefined ? {} : { why }) }
    }),
  }
}

/** A k6 that crashed is the limit itself, whatever else was used up. */
const limitOf = (result: LoadtestResult, { reasons }: Verdict): string =>
  (hasCrashed(result) ? undefined : limitText(factsOf(result))) ?? reasons[0]?.text ?? 'not known'

/** Only a smaller rate of the same test says something about this run. */
const isStepOf = (step: LoadtestResult, result: LoadtestResult): boolean =>
  step.scenario === result.scenario &&
  provesTargets(step.profile) === provesTargets(result.profile) &&
  step.runners.length > 0 &&
  rateOf(step) < rateOf(result)

const rateOf = ({ runners }: LoadtestResult): number => runners[0]?.settings.targetPerSecond ?? 0

/** The verdict on a run together with its steps. */
export function withCarried(verdict: Verdict, carried: Carried | undefined): Verdict {
  if (carried === undefined || !isQuestionOfRate(verdict)) return verdict
  const rates = list(carried.steps.map(({ ratePerSecond }) => number(ratePerSecond)))
  if (carried.steps.every(({ outcome }) => outcome === 'invalid')) {
    const text = `no smaller rate gave valid evidence: ${rates} a second were tried`
    return { ...verdict, reasons: [...verdict.reasons, { rule: 'carried', effect: 'remark', text }] }
  }
  const rate = verdict.metrics.find(({ name }) => name === 'rate')
  const answer: Reason = { rule: 'carried', effect: 'missed', text: answerText(carried, rate) }
  return {
    ...verdict,
    outcome: 'missed',
    reasons: [answer, ...verdict.reasons.map((reason) => asRemark(reason, rate))],
    metrics: verdict.metrics.map((metric) =>
      metric.name === 'rate' && metric.of === undefined
        ? { ...metric, measured: carried.ratePerSecond, carried: true, status: 'missed' }
        : metric,
    ),
    carried,
  }
}

function answerText({ ratePerSecond, limitedAtPerSecond, limitedBy }: Carried, rate: Metric | undefined): string {
  const unit = rate?.unit ?? 'a second'
  const most = ratePerSecond === 0 ? 'no rate that was tried held' : `${number(ratePerSecond)} ${unit} are carried`
  return `${most}; at ${number(limitedAtPerSecond)} ${unit}: ${limitedBy}`
}

/** What made the whole load invalid no longer makes the verdict, and is still to be known. */
function asRemark(reason: Reason, rate: Metric | undefined): Reason {
  if (reason.effect !== 'invalid') return reason
  const at = rate === undefined ? 'at full load' : `at ${number(rate.target)} ${rate.unit}`
  return { ...reason, effect: 'remark', text: `the figures ${at} are not valid: ${reason.text}` }
}
