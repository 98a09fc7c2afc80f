import type { ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { isDisturbance, isDisturbed, judge } from '../judge/judge.ts'
import { measureAndJudge } from './measure-and-judge.ts'
import { type MeasureOptions, measureScenario } from './measure-scenario.ts'

export type MeasureAllOptions = Omit<MeasureOptions, 'scenario'> & {
  readonly scenarios: readonly ScenarioName[]
  /** Absent: loadtests/results. */
  readonly resultsDir?: string
}

/**
 * Measures one scenario after the other, judges each and writes its result. A run that is invalid and was disturbed, by
 * other programs or by the host, is repeated once: the second run counts, and its result keeps the first.
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
    const measure = () => measureUndisturbed({ ...options, scenario })
    results.push(await measureAndJudge(scenario, measure, { resultsDir, terminal: options.terminal }))
  }
  return results
}

async function measureUndisturbed(options: MeasureOptions): Promise<LoadtestResult> {
  const first = await measureScenario(options)
  const verdict = judge(first)
  if (!isDisturbed(verdict)) return first
  const why = verdict.reasons.filter(isDisturbance).map(({ text }) => text)
  options.terminal.step(`  ! ${options.scenario.padEnd(22)} disturbed, and repeated once: ${why.join('; ')}`)
  const { environment: _, ...disturbed } = first
  return { ...(await measureScenario(options)), disturbed }
}
