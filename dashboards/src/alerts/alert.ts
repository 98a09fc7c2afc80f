/**
 * An alert as data: what is looked at, from where on it fires, and what the person who is woken reads. Prometheus rules
 * and Grafana's own alert rules are both written from it.
 */
import type { BoardName } from '../boards/board.ts'
import type { Needs } from '../queries/query.ts'
import type { RunbookName } from '../runbook-names.ts'
import type { Duration } from '../scale.ts'

/** page: a person now. ticket: a person tomorrow. */
export type Severity = 'page' | 'ticket'

export type Signal = {
  /** Gives one series for each set of `by` labels, whether or not anything is wrong: so that it can be seen to work. */
  readonly query: string
  readonly is: '>' | '>=' | '<' | '=='
  readonly value: number
}

export type Alert = {
  /** `Hopwhistle` comes before it. */
  readonly name: string
  readonly severity: Severity
  /** The labels of what fires. */
  readonly by: readonly string[]
  /** Fires when all signals of one of these hold. */
  readonly when: readonly (readonly Signal[])[]
  /** How long it has to hold. */
  readonly lasting: Duration
  readonly needs: Needs
  /** One line, which may have `{{ $labels.x }}` and `{{ $value }}`: the value of the first signal. */
  readonly summary: string
  /** What it means for those who use the platform. */
  readonly meaning: string
  readonly runbook: RunbookName
  /** Of the runbook: the part that is about this one. */
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
