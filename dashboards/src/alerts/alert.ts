/**
 * An alert as data: its query, its threshold, and its text for the person on call. Prometheus rules and Grafana's alert
 * rules are both generated from it.
 */
import type { BoardName } from '../board-names.ts'
import type { Needs } from '../queries/query.ts'
import type { RunbookName } from '../runbook-names.ts'
import type { Duration } from '../scale.ts'

/** page: wakes a person now. ticket: can wait until the next day. */
export type Severity = 'page' | 'ticket'

export type Signal = {
  /** Gives one series for each set of `by` labels, also when nothing is wrong, so that a test can see that it works. */
  readonly query: string
  readonly is: '>' | '>=' | '<' | '=='
  readonly value: number
}

export type Alert = {
  /** Without the prefix `Hopwhistle`. */
  readonly name: string
  readonly severity: Severity
  /** The labels of the alert. */
  readonly by: readonly string[]
  /** Fires when all signals of one inner list hold. */
  readonly when: readonly (readonly Signal[])[]
  /** How long they must hold. */
  readonly lasting: Duration
  readonly needs: Needs
  /** One line. It may contain `{{ $labels.x }}` and `{{ $value }}`, the value of the first signal. */
  readonly summary: string
  /** What it means for the users of the platform. */
  readonly meaning: string
  readonly runbook: RunbookName
  /** The heading in the runbook for this alert. */
  readonly section?: string
  readonly board: BoardName
}

export const ALERT_PREFIX = 'Hopwhistle'
export const alertName = ({ name }: Alert): string => `${ALERT_PREFIX}${name}`

/** What Prometheus evaluates. */
export function expression({ when, by }: Alert): string {
  const matching = `and on (${by.join(', ')}) `
  const both = (signals: readonly Signal[]) =>
    signals.map(({ query, is, value }) => `(${query}) ${is} ${value}`).join(`\n${matching}`)
  return when.map((signals) => (when.length === 1 ? both(signals) : `(\n${both(signals)}\n)`)).join('\nor\n')
}

export const RELEASE = ['namespace', 'release'] as const
