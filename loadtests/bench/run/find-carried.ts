/**
 * The answer where a target was not reached: the largest rate that this machine carries with every target met.
 *
 * Shorter runs at smaller rates follow, of each scenario that missed a target or is invalid. They
 * become part of its result, which is judged again. All of them together take three minutes at most.
 */
import type { ProfileName } from '@hopwhistle/contract/scenarios.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { duration } from '@hopwhistle/platform/command-line/terminal.ts'
import { number } from '@hopwhistle/platform/document/figures.ts'
import { evidenceOf } from '../evidence/evidence.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { isQuestionOfRate, judgeStep } from '../judge/carried.ts'
import { judge } from '../judge/judge.ts'
import type { MeasureAllOptions } from './measure-all.ts'
import { measureAndJudge } from './measure-and-judge.ts'
import { inShort, measureStep, usualStepMs } from './measure-step.ts'
import { searchRate } from './search-rate.ts'

/** For the steps of all scenarios together. k6 may need ten seconds more to stop, when its time is up. */
const allStepsMs = (profile: ProfileName): number => (profile === 'smoke' ? 60_000 : 165_000)

export type FindOptions = Omit<MeasureAllOptions, 'scenarios'>

/** @param results judged; written again when a step was made. @returns all of them, in the same order */
export async function findCarried(
  results: readonly LoadtestResult[],
  options: FindOptions,
): Promise<readonly LoadtestResult[]> {
  const untilMs = performance.now() + allStepsMs(options.profile)
  let left = results.filter((result) => isQuestionOfRate(judge(result))).length
  const answered: LoadtestResult[] = []
  for (const result of results) {
    if (!isQuestionOfRate(judge(result))) {
      answered.push(result)
      continue
    }
    options.signal?.throwIfAborted()
    const beganAt = performance.now()
    const steps = await makeSteps(result, (untilMs - beganAt) / left, options)
    left -= 1
    if (steps.length === 0) answered.push(result)
    else {
      const { resultsDir, terminal } = options
      answered.push(
        await measureAndJudge(result.scenario, async () => ({ ...result, steps }), { resultsDir, terminal }),
      )
    }
  }
  return answered
}

async function makeSteps(
  result: LoadtestResult,
  forMs: number,
  options: FindOptions,
): Promise<readonly LoadtestResult[]> {
  const { scenario } = result
  const { targetPerSecond, peak, peakSeconds } = evidenceOf(result)
  const { terminal } = options
  terminal.step(
    `  … ${scenario}: ${number(targetPerSecond)}/s ${inShort(judge(result))}; looking for the largest rate that holds`,
  )
  const steps: LoadtestResult[] = []
  await searchRate({
    targetPerSecond,
    reachedPerSecond: peakSeconds > 0 ? peak.ok / peakSeconds : 0,
    forMs,
    stepMs: usualStepMs(scenario, options.profile),
    async tryRate(ratePerSecond, withinMs) {
      const beganAt = performance.now()
      const say = (what: string) =>
        terminal.step(`      ${number(ratePerSecond)}/s ${what} (${duration(performance.now() - beganAt)})`)
      const step = await measureStep({ ...options, scenario, ratePerSecond, withinMs })
      if (step instanceof Failure) {
        say(`gave no result: ${step.message}`)
        return false
      }
      steps.push(step)
      const verdict = judgeStep(step, result)
      say(inShort(verdict))
      return verdict.outcome === 'met'
    },
  })
  return steps
}
