/** A result prepared for the rules: what they all need is worked out once. */
import { rateOf, type ScenarioName, type TrafficKind, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import type { PhaseSpan } from '../../results-format.ts'
import { peakSecondsOf } from '../../scenarios/lib/phases.ts'
import { provesTargets } from '../../scenarios/lib/profiles.ts'
import { type Totals, totalsOf } from '../../scenarios/lib/totals.ts'
import type { Series, ServerEvidence } from '../sample/server-evidence.ts'
import type { LoadtestResult } from './loadtest-result.ts'
import { metricsOf } from './metrics.ts'
import { type Traffic, trafficOf } from './traffic.ts'
import type { Metric, Reason } from './verdict.ts'

export type Evidence = {
  readonly result: LoadtestResult
  readonly scenario: ScenarioName
  readonly totals: Totals
  /** What the scenario carries; the first is what `peak` and `targetPerSecond` are about. */
  readonly kinds: readonly [TrafficKind, ...TrafficKind[]]
  readonly peak: Traffic
  readonly peakSeconds: number
  /** Statuses are those of a valid run. */
  readonly metrics: readonly Metric[]
  readonly server: ServerEvidence | undefined
  /** The rate that the peak must be offered for the targets to mean anything. */
  readonly targetPerSecond: number
  readonly part: Part
}

/** `whole`: the run that the targets are about. `step`: a shorter one at a smaller rate, judged at the rate it was set to. */
export type Part = 'whole' | 'step'

/** What has to hold of a run for its figures to count. */
export type Rule = {
  readonly name: string
  /** @returns what is wrong; nothing when the rule holds or has nothing to look at */
  check(evidence: Evidence): readonly Omit<Reason, 'rule'>[]
}

export const invalid = (text: string): Omit<Reason, 'rule'> => ({ effect: 'invalid', text })
/** Of what must not happen at any rate: a smaller load is no answer to it. */
export const broken = (text: string): Omit<Reason, 'rule'> => ({ effect: 'invalid', broken: true, text })
export const remark = (text: string): Omit<Reason, 'rule'> => ({ effect: 'remark', text })

export function evidenceOf(result: LoadtestResult, part: Part = 'whole'): Evidence {
  const { scenario } = result
  const totals = totalsOf(result.runners)
  const kinds = trafficIn(scenario)
  const [first] = result.runners
  const peakSeconds = first === undefined ? 0 : peakSecondsOf(first.settings.phases)
  const isWhole = part === 'whole' && provesTargets(result.profile)
  const targetPerSecond = isWhole || first === undefined ? rateOf(scenario) : first.settings.targetPerSecond
  return {
    result,
    scenario,
    totals,
    kinds,
    peak: trafficOf(kinds[0], totals, 'peak'),
    peakSeconds,
    // Where a k6 left no result nothing is known, which is not a rate of 0.
    metrics: metricsOf(scenario, { totals, peakSeconds: hasCrashed(result) ? 0 : peakSeconds, targetPerSecond }),
    server: result.server,
    targetPerSecond,
    part,
  }
}

/** Whether a k6 left no result, so that what was counted is not known. */
export const hasCrashed = ({ runners }: LoadtestResult): boolean => runners.some(({ crash }) => crash !== undefined)

/** Whether k6-operator made the run: its evidence was gathered by a command that may have come too late. */
export const isDistributed = ({ distributed, server }: Pick<LoadtestResult, 'distributed' | 'server'>): boolean =>
  distributed !== undefined || server?.kubernetes !== undefined

/** Of our scenarios or of a script: who made the load, and what was sampled meanwhile. */
export type Sampled = Pick<LoadtestResult, 'server' | 'distributed'> & {
  readonly runners: readonly { readonly startedAt: string; readonly endedAt: string }[]
}

/** In seconds, from the beginning of the load to the first sample of the servers; 0 when they were sampled before it. */
export function sampledLateBy({ server, runners }: Sampled): number {
  const began = Math.min(...runners.map(({ startedAt }) => Date.parse(startedAt)))
  const sampled = Date.parse(server?.startedAt ?? '') + 1000 * (server?.atSeconds[0] ?? 0)
  const late = (sampled - began) / 1000
  return Number.isFinite(late) ? Math.max(0, late) : 0
}

/**
 * Whether a distributed run was watched from before its load, so that whatever is missing was not to be had. Of one that
 * was not, `collected-late` says all that there is to say.
 */
export const isWatched = (result: LoadtestResult): boolean =>
  isDistributed(result) && result.server !== undefined && result.runners.length > 0 && sampledLateBy(result) === 0

/** When a phase began and ended by the clock, in Unix milliseconds: from the first runner's start to the last one's. */
export function phaseTimes(
  { runners }: LoadtestResult,
  name: PhaseSpan['name'],
): { readonly from: number; readonly to: number } | undefined {
  const spans = runners.flatMap(({ startedAt, settings }) => {
    const span = settings.phases.find((phase) => phase.name === name)
    const start = Date.parse(startedAt)
    return span === undefined ? [] : [{ from: start + 1000 * span.fromSeconds, to: start + 1000 * span.toSeconds }]
  })
  if (spans.length === 0) return undefined
  return { from: Math.min(...spans.map(({ from }) => from)), to: Math.max(...spans.map(({ to }) => to)) }
}

type During = (series: Series | undefined) => readonly number[]

/** Picks from a series of the server's what was sampled during a phase. */
export function duringPhase(result: LoadtestResult, server: ServerEvidence, name: PhaseSpan['name'] = 'peak'): During {
  return during(phaseTimes(result, name), server)
}

/** Picks from a series what was sampled between two moments, in Unix milliseconds; nothing without them. */
export function during(
  times: { readonly from: number; readonly to: number } | undefined,
  { startedAt, atSeconds }: Pick<ServerEvidence, 'startedAt' | 'atSeconds'>,
): During {
  const start = Date.parse(startedAt)
  const inside = atSeconds.map((at) => {
    const time = start + 1000 * at
    return times !== undefined && time > times.from && time <= times.to
  })
  return (series) => {
    if (series === undefined) return []
    if (typeof series === 'number') return inside.some(Boolean) ? [series] : []
    return series.filter((value, i): value is number => value !== null && inside[i] === true)
  }
}

export const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length

export const most = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((a, b) => Math.max(a, b))
