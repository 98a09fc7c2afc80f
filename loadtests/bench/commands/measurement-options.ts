import { SCENARIOS, type ScenarioName } from '@hopwhistle/contract/slos.ts'
import { PROFILE_NAMES, type ProfileName } from '../../scenarios/lib/profiles.ts'
import { oneOf } from '../lib/parse-options.ts'

export const PROFILES_HELP = `  full    the stages of the performance baselines: about 18 minutes
  quick   the same peaks, held for a minute each: about 5 minutes
  smoke   small peaks: proves that everything works, and nothing about the targets`

export function profileOf(given: string | undefined): ProfileName {
  return oneOf('the profile', given ?? 'quick', PROFILE_NAMES)
}

/** In the order of the document; none named means all. */
export function scenariosOf(given: readonly string[]): readonly ScenarioName[] {
  const wanted = new Set(given.map((name) => oneOf('the scenario', name, SCENARIOS)))
  return wanted.size === 0 ? SCENARIOS : SCENARIOS.filter((name) => wanted.has(name))
}
