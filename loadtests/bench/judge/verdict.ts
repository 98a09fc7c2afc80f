/** What a load test proved: stored as `verdict` in its result. */
import type { ScenarioName } from '@hopwhistle/contract/slos.ts'

/**
 * met      every target is met, by evidence that holds
 * missed   the evidence holds, and a target is not met
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
}

export type Reason = {
  /** The name of the rule that found it. */
  readonly rule: string
  readonly effect: 'invalid' | 'missed' | 'remark'
  /** A sentence with its figures, without its full stop. */
  readonly text: string
}

/** One figure beside its target. */
export type Metric = {
  readonly name: MetricName
  readonly label: string
  readonly unit: 'updates/s' | 'requests/s' | 'messages/s' | '%' | 'ms'
  readonly target: number
  /** How `measured` has to compare with `target`. */
  readonly comparison: '>=' | '>' | '<'
  /** Absent when nothing was counted that could tell. */
  readonly measured?: number
  /** `invalid` in every metric of an invalid run. */
  readonly status: Outcome
}

export type MetricName = 'rate' | 'success' | 'delivery' | 'p50' | 'p95' | 'p99'

/** Whether a measured figure meets its target. Nothing measured is a failure, never a pass. */
export function meets({ measured, target, comparison }: Pick<Metric, 'measured' | 'target' | 'comparison'>): boolean {
  if (measured === undefined || Number.isNaN(measured)) return false
  if (comparison === '>=') return measured >= target
  return comparison === '>' ? measured > target : measured < target
}
