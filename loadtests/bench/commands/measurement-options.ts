import {
  BASELINE_SCENARIOS,
  PROFILE_NAMES,
  type ProfileName,
  SCENARIO_NAMES,
  SCENARIOS,
  type ScenarioName,
} from '@hopwhistle/contract/scenarios.ts'
import { Usage } from '@hopwhistle/platform/command-line/failure.ts'
import { oneOf } from '@hopwhistle/platform/command-line/parse-options.ts'

export const PROFILES_HELP = `  full        the stages of the performance baselines: about 18 minutes
  quick       the same peaks, held for a minute each: about 5 minutes
  smoke       small peaks: proves that everything works, and nothing about the targets
  soak        holds the targets' rates for two hours (PEAK_SECONDS changes that). Reports what drifts, and ends early
              when a target is missed
  breakpoint  raises the rate to four times the targets in five minutes (RATE and RAMP_SECONDS change that), until a
              target is missed. Reports that rate, and which resource ran out first`

/** One line each; those that the baselines are about have a star. */
export const SCENARIOS_HELP = SCENARIO_NAMES.map(
  (name) => `${SCENARIOS[name].inBaselines ? '* ' : '  '}${name.padEnd(21)}${SCENARIOS[name].load}`,
).join('\n')

export function profileOf(given: string | undefined): ProfileName {
  return oneOf('the profile', given ?? 'quick', PROFILE_NAMES)
}

/**
 * In the order of the catalogue; none named means those of the baselines.
 *
 * @param known those that may be named
 */
export function scenariosOf(given: readonly string[], known = SCENARIO_NAMES): readonly ScenarioName[] {
  const wanted = new Set(given.map((name) => oneOf('the scenario', name, known)))
  return wanted.size === 0 ? BASELINE_SCENARIOS : known.filter((name) => wanted.has(name))
}

export const NEIGHBOUR_HELP = `If other programs use so much CPU that they may be the cause of a miss, the run is invalid, names them, and is repeated
once automatically. If a program always runs on this machine, declare it with --neighbour NAME, the name that \`ps -C\`
shows, or \`any\` for all. Its CPU then makes no run invalid, and the result reports it.`

/**
 * Programs that were declared to belong to the machine, by `--neighbour` and by HOPWHISTLE_NEIGHBOUR, which may name
 * several with commas between.
 *
 * @throws {Usage}
 */
export function neighboursOf(given: readonly string[], fromEnvironment = process.env.HOPWHISTLE_NEIGHBOUR): string[] {
  const names = [...given, ...(fromEnvironment ?? '').split(',')].map((name) => name.trim()).filter(Boolean)
  const wrong = names.find((name) => !/^[\w.+@/-]{1,40}$/.test(name))
  if (wrong !== undefined) {
    throw new Usage(`the neighbour is "${wrong}"; it may be the name of a program as \`ps -C\` knows it, or "any"`)
  }
  return [...new Set(names)].sort()
}
