/** Reaches the verdict on a result: the run itself, what it repeats, and the steps that were made after it. */
import { number } from '@hopwhistle/platform/document/figures.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import type { Reason, Verdict } from '../evidence/verdict.ts'
import { judgeBreakpoint } from './breakpoint.ts'
import { carriedBy, withCarried } from './carried.ts'
import { judgeRun } from './judge-run.ts'

/**
 * Pure: the same result, the same verdict. Without its steps a result is judged the same or worse, never better.
 *
 * @throws {Error} when the scenario is not one of the contract's, or buckets of different shape cannot be added
 */
export function judge(result: LoadtestResult): Verdict {
  if (result.profile === 'breakpoint') return judgeBreakpoint(result)
  if (result.abandoned !== undefined) return abandoned(result, result.abandoned)
  const verdict = withCarried(judgeRun(result), carriedBy(result))
  return { ...verdict, reasons: [...verdict.reasons, ...repeated(result)] }
}

/** A run that was ended because of a target is judged up to there, and has missed it. */
function abandoned(
  result: LoadtestResult,
  { afterSeconds, because }: NonNullable<LoadtestResult['abandoned']>,
): Verdict {
  const runners = result.runners.map((runner) => {
    const phases = runner.settings.phases
      .filter(({ fromSeconds }) => fromSeconds < afterSeconds)
      .map((phase) => ({ ...phase, toSeconds: Math.min(phase.toSeconds, afterSeconds) }))
    return { ...runner, settings: { ...runner.settings, phases } }
  })
  const verdict = judgeRun({ ...result, runners })
  const text = `ended after ${number(afterSeconds)} s, for a target cannot be met any more: ${because}`
  if (verdict.outcome === 'invalid')
    return { ...verdict, reasons: [...verdict.reasons, { rule: 'abandoned', effect: 'remark', text }] }
  return { ...verdict, outcome: 'missed', reasons: [{ rule: 'abandoned', effect: 'missed', text }, ...verdict.reasons] }
}

function repeated({ disturbed, environment }: LoadtestResult): readonly Reason[] {
  if (disturbed === undefined) return []
  const first = judgeRun({ ...disturbed, ...(environment === undefined ? {} : { environment }) })
  const why = first.reasons.filter(isDisturbance).map(({ text }) => text)
  return [{ rule: 'repeated', effect: 'remark', text: `this run repeats one that was disturbed: ${why.join('; ')}` }]
}

/** Rules about what others took from the machine: another run may be spared it. */
const DISTURBANCES: ReadonlySet<string> = new Set(['other-programs', 'stolen-cpu'])

export const isDisturbance = ({ rule }: Pick<Reason, 'rule'>): boolean => DISTURBANCES.has(rule)

/** Whether a run is invalid and others took CPU from it meanwhile: then it is worth another try. */
export const isDisturbed = ({ outcome, reasons }: Pick<Verdict, 'outcome' | 'reasons'>): boolean =>
  outcome === 'invalid' && reasons.some(isDisturbance)
