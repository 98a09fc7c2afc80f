import type { ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { type Crash, type PhaseSpan, RESULTS_FORMAT } from '../../results-format.ts'
import { runnerSettings } from '../../scenarios/lib/result.ts'
import { readSettings } from '../../scenarios/lib/settings.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'

export type CrashFacts = {
  readonly startedAt: number
  readonly endedAt: number
  readonly phases: readonly PhaseSpan[]
  readonly crash: Crash
}

/**
 * The result in the place of one that k6 did not leave: what was planned, and how k6 ended. It has no counts, for those
 * that k6 reported while it ran are not all.
 *
 * @param env the environment of the scenario
 */
export function crashedResult(
  scenario: ScenarioName,
  env: Readonly<Record<string, string>>,
  { startedAt, endedAt, phases, crash }: CrashFacts,
): LoadtestResult {
  const settings = readSettings(env, scenario)
  return {
    format: RESULTS_FORMAT,
    scenario,
    profile: settings.profile,
    runId: settings.runId ?? '',
    target: { url: settings.apiUrl },
    expectedRunners: 1,
    runners: [
      {
        instance: '1',
        startedAt: new Date(startedAt).toISOString(),
        endedAt: new Date(endedAt).toISOString(),
        k6: settings.k6Version === undefined ? {} : { version: settings.k6Version },
        settings: runnerSettings(settings, phases),
        counters: {},
        histograms: {},
        trends: {},
        thresholds: [],
        crash,
      },
    ],
  }
}
