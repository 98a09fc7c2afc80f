import type { ScenarioName } from '@hopwhistle/contract/slos.ts'
import type { LoadtestResult } from '../../results-format.ts'
import { measureAndJudge } from './measure-and-judge.ts'
import { type MeasureOptions, measureScenario } from './measure-scenario.ts'

export type MeasureAllOptions = Omit<MeasureOptions, 'scenario'> & {
  readonly scenarios: readonly ScenarioName[]
  /** Absent: loadtests/results. */
  readonly resultsDir?: string
}

/**
 * Measures one scenario after the other, judges each and writes its result.
 *
 * @throws {Failure} at the first that cannot be made; those before it are written
 */
export async function measureAll({
  scenarios,
  resultsDir,
  ...options
}: MeasureAllOptions): Promise<readonly LoadtestResult[]> {
  const results: LoadtestResult[] = []
  for (const scenario of scenarios) {
    options.signal?.throwIfAborted()
    const measure = () => measureScenario({ ...options, scenario })
    results.push(await measureAndJudge(scenario, measure, { resultsDir, terminal: options.terminal }))
  }
  return results
}
