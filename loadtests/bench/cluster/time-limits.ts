import type { ScenarioName } from '@hopwhistle/contract/slos.ts'
import { livePhases, requestPhases } from '../../scenarios/lib/phases.ts'
import { type ProfileName, shapeOf } from '../../scenarios/lib/profiles.ts'

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
  overrides: Readonly<Record<string, string | undefined>>,
): number {
  const given = (name: string, usual: number) => Number(overrides[name] ?? usual)
  const shape = shapeOf(profile, scenario)
  const seconds = {
    rampSeconds: given('RAMP_SECONDS', shape.rampSeconds),
    peakSeconds: given('PEAK_SECONDS', shape.peakSeconds),
  }
  const phases =
    'drainSeconds' in shape ? livePhases({ ...shape, ...seconds }) : requestPhases({ ...shape, ...seconds })
  return (phases.at(-1)?.toSeconds ?? 0) + AFTER_THE_LOAD_SECONDS
}
