/** A short run at a rate of its own, between others: a step of a search for the largest rate that holds. */
import { type ProfileName, type ScenarioName, shapeOf } from '@hopwhistle/contract/scenarios.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import type { Verdict } from '../evidence/verdict.ts'
import { type MeasureOptions, measureScenario } from './measure-scenario.ts'
import { scenarioPhases } from './scenario-phases.ts'

type StepShape = {
  /** Of which the steps are a shorter version. */
  readonly profile: ProfileName
  readonly rampSeconds: number
  readonly peakSeconds: number
}

const QUICK: StepShape = { profile: 'quick', rampSeconds: 3, peakSeconds: 10 }
const SMOKE: StepShape = { profile: 'smoke', rampSeconds: 2, peakSeconds: 5 }
const stepOf = (profile: ProfileName): StepShape => (profile === 'smoke' ? SMOKE : QUICK)
/** From one step's load to the next one's: k6 starts, what is under way ends, Postgres settles. */
const BETWEEN_MS = 5_000

export type StepOptions = Omit<MeasureOptions, 'isStep'> & { readonly ratePerSecond: number; readonly withinMs: number }

/** What a step of a run of this profile usually takes. */
export function usualStepMs(scenario: ScenarioName, of: ProfileName): number {
  const { profile, ...seconds } = stepOf(of)
  const phases = scenarioPhases(scenario, profile, secondsSettings(seconds))
  return 1000 * (phases.find(({ name }) => name === 'peak')?.toSeconds ?? 0) + BETWEEN_MS
}

/**
 * @param options the profile is that of the run to which the step belongs
 * @returns a step without the environment, which is that of its run; why there is none
 */
export async function measureStep(options: StepOptions): Promise<LoadtestResult | Failure> {
  const { scenario, ratePerSecond, withinMs } = options
  const { profile, ...seconds } = stepOf(options.profile)
  const overrides = {
    ...options.overrides,
    ...secondsSettings(seconds),
    ...rateSettings(scenario, profile, ratePerSecond),
  }
  const late = AbortSignal.timeout(Math.floor(withinMs))
  const signal = options.signal === undefined ? late : AbortSignal.any([options.signal, late])
  try {
    const { environment: _, ...step } = await measureScenario({ ...options, profile, overrides, signal, isStep: true })
    return step
  } catch (error) {
    options.signal?.throwIfAborted()
    if (late.aborted) return new Failure('its time was up')
    if (error instanceof Failure) return error
    throw error
  }
}

const secondsSettings = ({ rampSeconds, peakSeconds }: Omit<StepShape, 'profile'>) => ({
  RAMP_SECONDS: String(rampSeconds),
  PEAK_SECONDS: String(peakSeconds),
})

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
export function inShort({ outcome, reasons, metrics }: Verdict): string {
  if (outcome === 'met') return 'held'
  if (outcome === 'invalid') return `is invalid: ${reasons[0]?.text}`
  return `missed ${metrics.flatMap(({ status, label }) => (status === 'missed' ? [label] : [])).join(', ')}`
}
