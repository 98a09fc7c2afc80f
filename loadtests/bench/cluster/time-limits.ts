import type { ProfileName, ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { startWithinSeconds } from '../../scenarios/lib/phases.ts'
import { scenarioPhases } from '../run/scenario-phases.ts'

/** What is still open at the end may take its time, then the summary is made and the pod ends. */
const AFTER_THE_LOAD_SECONDS = 75

/**
 * How long a TestRun may take from the moment its runners are told to begin.
 *
 * @param overrides RAMP_SECONDS and PEAK_SECONDS, when they are not the profile's
 */
export function runSeconds(
  scenario: ScenarioName,
  profile: ProfileName,
  parallelism: number,
  overrides: Readonly<Record<string, string | undefined>>,
): number {
  const lastSeconds = scenarioPhases(scenario, profile, overrides).at(-1)?.toSeconds ?? 0
  const togetherSeconds = parallelism === 1 ? 0 : 2 * startWithinSeconds(parallelism)
  return togetherSeconds + lastSeconds + AFTER_THE_LOAD_SECONDS
}
