/** What the document shows: one environment in full, and a summary of the others. */
import { BASELINE_SCENARIOS, type ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { find } from '../findings/find.ts'
import type { Findings } from '../findings/finding.ts'
import type { Baseline, ScenarioBaseline } from './baseline.ts'

export type Measured = ScenarioBaseline & { readonly scenario: ScenarioName; readonly conclusions: Findings }

export type DocumentModel = {
  readonly environment: string
  /** Those that were measured, in the order of the contract. */
  readonly measured: readonly Measured[]
  readonly others: readonly Baseline[]
}

/**
 * The environment measured last is shown in full: after a measurement, the document is about it.
 *
 * @throws {Error} when nothing was ever measured
 */
export function documentModel(baselines: readonly Baseline[]): DocumentModel {
  const [main, ...others] = baselines.toSorted((a, b) => compare(lastEnd(b), lastEnd(a)) || compare(a.name, b.name))
  if (main === undefined || lastEnd(main) === '') {
    throw new Error('there is no baseline yet; `make baseline` measures one')
  }
  return {
    environment: main.name,
    measured: BASELINE_SCENARIOS.flatMap((scenario): Measured[] => {
      const kept = main.scenarios[scenario]
      if (kept === undefined) return []
      const { generatorOnSameMachine } = kept.environment.stack
      return [{ ...kept, scenario, conclusions: find(kept.facts, kept.verdict, { generatorOnSameMachine }) }]
    }),
    others: others.toSorted((a, b) => compare(a.name, b.name)),
  }
}

const lastEnd = ({ scenarios }: Baseline): string =>
  Object.values(scenarios)
    .map(({ endedAt }) => endedAt)
    .sort()
    .at(-1) ?? ''

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export const measuredOf = ({ measured }: DocumentModel, scenario: ScenarioName): Measured | undefined =>
  measured.find((one) => one.scenario === scenario)
