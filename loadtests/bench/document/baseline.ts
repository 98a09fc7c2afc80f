/**
 * What is kept of the last valid run of each scenario in one environment: one file,
 * `loadtests/baselines/<environment>.json`, from which the document and its charts can be written again.
 *
 * nothing ──any run──▶ kept ──a valid run──▶ kept, the newer one
 *
 * A run that misses a target is valid, and the truth. An invalid one proves nothing: only a note of it stays next to what is
 * kept, until a valid one comes. Where nothing valid was ever kept it is itself what is known, and shown as invalid.
 */
import type { ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import type { HistogramData } from '../../results-format.ts'
import { totalsOf } from '../../scenarios/lib/totals.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import type { Reason, Verdict } from '../evidence/verdict.ts'
import type { Facts } from '../findings/facts.ts'
import { factsOf } from '../findings/facts-of.ts'
import { judge } from '../judge/judge.ts'
import type { Environment } from '../sample/environment.ts'
import { type ChartData, chartDataOf } from './chart-data.ts'

export const BASELINE_FORMAT = 'hopwhistle.baseline/1'

export type Baseline = {
  readonly format: typeof BASELINE_FORMAT
  readonly name: string
  readonly scenarios: { readonly [S in ScenarioName]?: ScenarioBaseline }
}

export type ScenarioBaseline = {
  readonly profile: string
  readonly runId: string
  /** RFC 3339. */
  readonly startedAt: string
  readonly endedAt: string
  readonly runners: number
  /** Where this very run was made: another scenario's may be of another commit. */
  readonly environment: Environment
  readonly verdict: Verdict
  readonly facts: Facts
  /** The latencies of the peak, of all runners: any percentile can be read from them, and runs be compared. */
  readonly histograms: Readonly<Record<string, HistogramData>>
  readonly chart: ChartData
  /** A run after this one that was invalid, and so did not take its place. */
  readonly newerInvalid?: InvalidRun
}

export type InvalidRun = Pick<ScenarioBaseline, 'profile' | 'runId' | 'startedAt' | 'endedAt'> & {
  readonly source: Environment['source']
  /** Why it proves nothing. */
  readonly reasons: readonly Reason[]
}

/** @throws {Error} when the result does not say where it was measured, or has no runner */
export function scenarioBaselineOf(result: LoadtestResult): ScenarioBaseline {
  const starts = result.runners.map(({ startedAt }) => startedAt).sort()
  const ends = result.runners.map(({ endedAt }) => endedAt).sort()
  const [startedAt] = starts
  const endedAt = ends.at(-1)
  if (startedAt === undefined || endedAt === undefined) {
    throw new Error(`the result of ${result.scenario} has no runner; there is nothing to keep`)
  }
  return {
    profile: result.profile,
    runId: result.runId,
    startedAt,
    endedAt,
    runners: result.runners.length,
    environment: environmentOf(result),
    verdict: result.verdict ?? judge(result),
    facts: factsOf(result),
    histograms: Object.fromEntries(
      Object.entries(totalsOf(result.runners).histograms).filter(([name]) => name.endsWith('_peak')),
    ),
    chart: chartDataOf(result),
  }
}

export function environmentOf(result: LoadtestResult): Environment {
  const { environment } = result
  if (environment === undefined) {
    throw new Error(`the result of ${result.scenario} does not say where it was measured: it has no environment.name`)
  }
  return environment
}

/** A baseline with the given results in the place of what it had of their scenarios, as far as they may take it. */
export function updated(before: Baseline | undefined, results: readonly LoadtestResult[], name: string): Baseline {
  const scenarios = { ...before?.scenarios }
  for (const result of results) {
    const { scenario } = result
    scenarios[scenario] = keptOf(scenarios[scenario], scenarioBaselineOf(result))
  }
  return { format: BASELINE_FORMAT, name, scenarios }
}

function keptOf(before: ScenarioBaseline | undefined, newer: ScenarioBaseline): ScenarioBaseline {
  const isValid = ({ verdict }: ScenarioBaseline) => verdict.outcome !== 'invalid'
  if (before === undefined || isValid(newer) || !isValid(before)) return newer
  const { profile, runId, startedAt, endedAt, environment, verdict } = newer
  const reasons = verdict.reasons.filter(({ effect }) => effect === 'invalid')
  return { ...before, newerInvalid: { profile, runId, startedAt, endedAt, source: environment.source, reasons } }
}
