/**
 * The answer where a target was not reached: the largest rate that this machine carries with every target met.
 *
 * Shorter runs at smaller rates follow, of each scenario that missed a target or is invalid. They
 * become part of its result, which is judged again. All of them together take three minutes at most.
 */
import { type ProfileName, type ScenarioName, shapeOf } from '@hopwhistle/contract/scenarios.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { duration } from '@hopwhistle/platform/command-line/terminal.ts'
import { number } from '@hopwhistle/platform/document/figures.ts'
import { evidenceOf } from '../evidence/evidence.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import type { Verdict } from '../evidence/verdict.ts'
import { isQuestionOfRate, judgeStep } from '../judge/carried.ts'
import { judge } from '../judge/judge.ts'
import type { MeasureAllOptions } from './measure-all.ts'
import { measureAndJudge } from './measure-and-judge.ts'
import { measureScenario } from './measure-scenario.ts'
import { scenarioPhases } from './scenario-phases.ts'
import { searchRate } from './search-rate.ts'

type StepShape = {
  /** Of which the steps are a shorter version. */
  readonly profile: ProfileName
  readonly rampSeconds: number
  readonly peakSeconds: number
  /** For the steps of all scenarios together. k6 may need ten seconds more to stop, when its time is up. */
  readonly allSeconds: number
}

const QUICK: StepShape = { profile: 'quick', rampSeconds: 3, peakSeconds: 10, allSeconds: 165 }
const SHAPES: Readonly<Record<ProfileName, StepShape>> = {
  full: QUICK,
  quick: QUICK,
  soak: QUICK,
  breakpoint: QUICK,
  smoke: { profile: 'smoke', rampSeconds: 2, peakSeconds: 5, allSeconds: 60 },
}
/** From one step's load to the next one's: k6 starts, what is under way ends, Postgres settles. */
const BETWEEN_MS = 5_000

export type FindOptions = Omit<MeasureAllOptions, 'scenarios'>

/** @param results judged; written again when a step was made. @returns all of them, in the same order */
export async function findCarried(
  results: readonly LoadtestResult[],
  options: FindOptions,
): Promise<readonly LoadtestResult[]> {
  const untilMs = performance.now() + 1000 * SHAPES[options.profile].allSeconds
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
  const size = SHAPES[options.profile]
  const overrides = { RAMP_SECONDS: String(size.rampSeconds), PEAK_SECONDS: String(size.peakSeconds) }
  const phases = scenarioPhases(scenario, size.profile, overrides)
  await searchRate({
    targetPerSecond,
    reachedPerSecond: peakSeconds > 0 ? peak.ok / peakSeconds : 0,
    forMs,
    stepMs: 1000 * (phases.find(({ name }) => name === 'peak')?.toSeconds ?? 0) + BETWEEN_MS,
    async tryRate(ratePerSecond, withinMs) {
      const beganAt = performance.now()
      const say = (what: string) =>
        terminal.step(`      ${number(ratePerSecond)}/s ${what} (${duration(performance.now() - beganAt)})`)
      const settings = { ...options.overrides, ...overrides, ...rateSettings(scenario, size.profile, ratePerSecond) }
      const step = await measureWithin(withinMs, { ...options, profile: size.profile, scenario, overrides: settings })
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

type StepOptions = Omit<Parameters<typeof measureScenario>[0], 'isStep'>

/** @returns a step without the environment, which is that of its run; why there is none */
async function measureWithin(withinMs: number, options: StepOptions): Promise<LoadtestResult | Failure> {
  const late = AbortSignal.timeout(Math.floor(withinMs))
  const signal = options.signal === undefined ? late : AbortSignal.any([options.signal, late])
  try {
    const { environment: _, ...step } = await measureScenario({ ...options, signal, isStep: true })
    return step
  } catch (error) {
    options.signal?.throwIfAborted()
    if (late.aborted) return new Failure('its time was up')
    if (error instanceof Failure) return error
    throw error
  }
}

/** At small rates a step has this many virtual users all the same, so that a short stall drops nothing. */
const LEAST_VUS = 50

/** Virtual users follow the rate: fewer are sooner there. */
function rateSettings(scenario: ScenarioName, profile: ProfileName, ratePerSecond: number): Record<string, string> {
  const shape = shapeOf(profile, scenario)
  const rate = String(ratePerSecond)
  if ('subscribers' in shape) return { MESSAGES_PER_SECOND: rate }
  const { vus, targetPerSecond } = shape
  return {
    RATE: rate,
    VUS: String(Math.min(vus, Math.max(LEAST_VUS, Math.ceil((vus * ratePerSecond) / targetPerSecond)))),
  }
}

/** `held`, `missed p95 latency`, `is invalid: generator: …`. */
function inShort({ outcome, reasons, metrics }: Verdict): string {
  if (outcome === 'met') return 'held'
  if (outcome === 'invalid') return `is invalid: ${reasons[0]?.text}`
  return `missed ${metrics.flatMap(({ status, label }) => (status === 'missed' ? [label] : [])).join(', ')}`
}
