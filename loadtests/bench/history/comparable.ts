/** The runs of one scenario that may be compared, and what each metric was in them. */
import type { RunRecord } from './run-record.ts'

export type Comparable = {
  readonly scenario: string
  readonly fingerprint: string
  /** Valid ones, in the order in which they were made; the last says what all have in common. */
  readonly runs: readonly [RunRecord, ...RunRecord[]]
}

export type MetricSeries = {
  readonly metric: string
  /** In the order in which they were made; at least one. */
  readonly points: readonly { readonly run: RunRecord; readonly value: number }[]
}

/** Older runs of the same kind say nothing new, and cost time. */
const MOST_RUNS = 200

/** @param runs of one environment, in the order in which they were made */
export function comparableRuns(runs: readonly RunRecord[]): readonly Comparable[] {
  const valid = runs.filter(({ figures }) => Object.keys(figures).length > 0)
  const groups = Map.groupBy(valid, ({ scenario, fingerprint }) => `${scenario} ${fingerprint}`)
  return [...groups.values()].map((group) => {
    const [first, ...others] = group.slice(-MOST_RUNS) as [RunRecord, ...RunRecord[]]
    return { scenario: first.scenario, fingerprint: first.fingerprint, runs: [first, ...others] }
  })
}

/** A series for each metric that any of the runs has. */
export function seriesOf({ runs }: Comparable): readonly MetricSeries[] {
  const metrics = new Set(runs.flatMap(({ figures }) => Object.keys(figures)))
  return [...metrics].map((metric) => ({
    metric,
    points: runs.flatMap((run) => {
      const value = run.figures[metric]
      return value === undefined ? [] : [{ run, value }]
    }),
  }))
}
