/** What a load test proved: stored as `verdict` in its result. */
import type { RateUnit, ScenarioName, TrafficKind } from '@hopwhistle/contract/scenarios.ts'

/**
 * met      every target is met, by evidence that holds
 * missed   the evidence holds, and a target is not met; or it holds only at a smaller rate, see `Carried`
 * invalid  the evidence does not hold: nothing is proved, whatever the figures say
 */
export type Outcome = 'met' | 'missed' | 'invalid'

export type Verdict = {
  readonly scenario: ScenarioName
  readonly profile: string
  readonly outcome: Outcome
  /** Every reason for the outcome, and remarks that do not change it. Empty when all is plainly met. */
  readonly reasons: readonly Reason[]
  /** In the order of the baselines document. */
  readonly metrics: readonly Metric[]
  /** Where the targets were not reached and smaller rates were tried. */
  readonly carried?: Carried
}

/** The largest rate whose evidence is valid and whose targets are met, found in short steps. */
export type Carried = {
  /** As it was set; 0 when no step held. */
  readonly ratePerSecond: number
  /** What was measured at that rate; none when it is 0. */
  readonly metrics: readonly Metric[]
  /** What ran out first at the smallest rate that did not hold. */
  readonly limitedBy: string
  readonly limitedAtPerSecond: number
  /** In the order in which they were made. */
  readonly steps: readonly Step[]
}

export type Step = {
  readonly ratePerSecond: number
  readonly outcome: Outcome
  /** Why it did not hold. */
  readonly why?: string
}

export type Reason = {
  /** The name of the rule that found it. */
  readonly rule: string
  readonly effect: 'invalid' | 'missed' | 'remark'
  /** Set where the run shows what must not happen at any rate, as a message that comes twice. */
  readonly broken?: true
  /** A sentence with its figures, without its full stop. */
  readonly text: string
}

/** One figure with its target. */
export type Metric = {
  readonly name: MetricName
  readonly label: string
  readonly unit: RateUnit | '%' | 'ms'
  readonly target: number
  /** How `measured` has to compare with `target`. */
  readonly comparison: '>=' | '>' | '<'
  /** Absent when nothing was counted that could tell. */
  readonly measured?: number
  /** `invalid` in every metric of an invalid run, and in those of a full load whose evidence holds only in steps. */
  readonly status: Outcome
  /** Set where `measured` is the rate of a step: see `Carried`. */
  readonly carried?: true
  /** Of a scenario that carries several kinds of traffic: the kind, where it is not the first. */
  readonly of?: TrafficKind
}

/** Whether the evidence of the full load itself holds; its figures prove nothing else. */
export const isFullLoadValid = ({ metrics }: Pick<Verdict, 'metrics'>): boolean =>
  metrics.every(({ status }) => status !== 'invalid')

export type MetricName = 'rate' | 'success' | 'delivery' | 'p50' | 'p95' | 'p99'

/** Whether a measured figure meets its target. Nothing measured is a failure, never a pass. */
export function meets({ measured, target, comparison }: Pick<Metric, 'measured' | 'target' | 'comparison'>): boolean {
  if (measured === undefined || Number.isNaN(measured)) return false
  if (comparison === '>=') return measured >= target
  return comparison === '>' ? measured > target : measured < target
}
