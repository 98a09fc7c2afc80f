/**
 * What is kept of every run of record: one line of JSON in the history of its environment.
 *
 * An invalid run is kept without figures, with the reasons why it proves nothing. So it can never be compared.
 */
import { type ScenarioName, TRAFFIC, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import { percentileMs } from '../../scenarios/lib/histogram.ts'
import type { ScenarioBaseline } from '../document/baseline.ts'
import { isFullLoadValid, type Outcome } from '../evidence/verdict.ts'
import { rounded } from '../findings/stat.ts'
import type { Environment } from '../sample/environment.ts'
import { fingerprintOf } from './fingerprint.ts'

export const RUN_FORMAT = 'hopwhistle.run/1'

export type RunRecord = {
  readonly format: typeof RUN_FORMAT
  /** Of the catalogue, or the name of a script. */
  readonly scenario: string
  readonly profile: string
  readonly runId: string
  /** RFC 3339. */
  readonly startedAt: string
  readonly endedAt: string
  readonly outcome: Outcome
  /** Why the full load proves nothing; none when it does. */
  readonly reasons?: readonly string[]
  /** Runs are compared only with those of the same: see `fingerprintOf`. */
  readonly fingerprint: string
  readonly environment: Environment
  readonly runners: number
  readonly load: Readonly<Record<string, number>>
  /** By the name of the metric, see metrics.ts; none of an invalid run. */
  readonly figures: Readonly<Record<string, number>>
}

const PERCENTILES = { p50: 50, p95: 95, p99: 99 } as const

/** @example recordOf('redis-pubsub', baseline).figures // { rate: 101, 'delivery_latency.p95': 74.1, 'cpu.api': 0.31, … } */
export function recordOf(scenario: ScenarioName, run: ScenarioBaseline): RunRecord {
  const { profile, runId, startedAt, endedAt, verdict, environment, runners } = run
  const load = run.facts.load.settings
  const valid = isFullLoadValid(verdict) && verdict.outcome !== 'invalid'
  const reasons = verdict.reasons.filter(({ effect }) => effect === 'invalid').map(({ text }) => text)
  return {
    format: RUN_FORMAT,
    scenario,
    profile,
    runId,
    startedAt,
    endedAt,
    outcome: verdict.outcome,
    ...(valid ? {} : { reasons }),
    fingerprint: fingerprintOf({ scenario, profile, runners, load, environment }),
    environment,
    runners,
    load,
    figures: valid ? figuresOf(scenario, run) : {},
  }
}

function figuresOf(scenario: ScenarioName, { verdict, histograms, facts, environment }: ScenarioBaseline) {
  const figures: Record<string, number> = {}
  for (const { name, measured, of } of verdict.metrics) {
    const isCount = name === 'rate' || name === 'success' || name === 'delivery'
    if (isCount && measured !== undefined) figures[of === undefined ? name : `${name}.${of}`] = rounded(measured)
  }
  const latencies = trafficIn(scenario).map((kind): string => TRAFFIC[kind].latency)
  for (const [histogram, counts] of Object.entries(histograms)) {
    const name = histogram.replace(/_peak$/, '')
    if (!latencies.some((latency) => name === latency || name.startsWith(`${latency}_`))) continue
    for (const [percentile, percent] of Object.entries(PERCENTILES)) {
      const ms = percentileMs(counts, percent)
      if (ms !== undefined) figures[`${name}.${percentile}`] = rounded(ms)
    }
  }
  for (const { kind, cpuCores } of [...facts.processes, ...(facts.kubernetes?.pods ?? [])]) {
    if (kind === 'sampler') continue
    figures[`cpu.${kind}`] = rounded((figures[`cpu.${kind}`] ?? 0) + cpuCores.mean)
  }
  const score = environment.machine.singleThreadScore?.perSecond
  if (score !== undefined) figures.machine_score = score
  return figures
}
