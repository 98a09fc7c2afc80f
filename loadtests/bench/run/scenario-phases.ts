import { type ProfileName, type ScenarioName, shapeOf } from '@hopwhistle/contract/scenarios.ts'
import type { PhaseSpan } from '../../results-format.ts'
import { phasesOf } from '../../scenarios/lib/phases.ts'

/**
 * When a scenario ramps up, is at its peak and cools down.
 *
 * @param overrides RAMP_SECONDS and PEAK_SECONDS, when they are not the profile's
 */
export function scenarioPhases(
  scenario: ScenarioName,
  profile: ProfileName,
  overrides: Readonly<Record<string, string | undefined>> = {},
): readonly PhaseSpan[] {
  const given = (name: string, usual: number) => Number(overrides[name] ?? usual)
  const shape = shapeOf(profile, scenario)
  const seconds = {
    rampSeconds: given('RAMP_SECONDS', shape.rampSeconds),
    peakSeconds: given('PEAK_SECONDS', shape.peakSeconds),
  }
  return phasesOf({ ...shape, ...seconds })
}
