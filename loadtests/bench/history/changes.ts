/** The changes in comparable runs, each with what lies between the last run before it and the first one after it. */
import { median } from '@hopwhistle/platform/lib/median.ts'
import { findChanges } from './change-points/find-changes.ts'
import { otavaChanges } from './change-points/otava.ts'
import { type Comparable, type MetricSeries, seriesOf } from './comparable.ts'
import { historyMetric } from './metrics.ts'
import type { RunRecord } from './run-record.ts'

export type Change = {
  readonly scenario: string
  readonly metric: string
  /** Medians of the runs since the change before, and until the one after. */
  readonly before: number
  readonly after: number
  readonly verdict: 'better' | 'worse' | 'other'
  readonly p: number
  readonly lastBefore: RunRecord
  readonly firstAfter: RunRecord
  /** Number of the first run after it among the values of the series. */
  readonly index: number
  /** What else is not the same on both sides: versions, the kernel, the speed of the machine. */
  readonly with: readonly string[]
  /** Whether it could not be seen without the newest run. */
  readonly isNew: boolean
  /** Whether Otava's method sees it as well, here or one run away. */
  readonly byOtava: boolean
}

/** A machine that differs by less is as fast as before. */
const SAME_SPEED = 0.03

export function changesOf(comparable: Comparable): readonly Change[] {
  return seriesOf(comparable).flatMap((series) => changesIn(comparable.scenario, series))
}

function changesIn(scenario: string, { metric, points }: MetricSeries): readonly Change[] {
  const values = points.map(({ value }) => value)
  const found = findChanges(values)
  if (found.length === 0) return []
  const earlier = findChanges(values.slice(0, -1))
  const otava = otavaChanges(values)
  const bounds = [0, ...found.map(({ index }) => index), values.length]
  const isNear = (index: number) => (other: { readonly index: number }) => Math.abs(other.index - index) <= 1
  return found.map(({ index, p }, i) => {
    const [left, right] = [points.slice(bounds[i], index), points.slice(index, bounds[i + 2])]
    const [before, after] = [left, right].map((side) => median(side.map(({ value }) => value))) as [number, number]
    return {
      scenario,
      metric,
      before,
      after,
      verdict: verdictOf(metric, before, after),
      p,
      lastBefore: left.at(-1)!.run,
      firstAfter: right[0]!.run,
      index,
      with: differences(
        left.map(({ run }) => run),
        right.map(({ run }) => run),
      ),
      isNew: !earlier.some(isNear(index)),
      byOtava: otava.some(isNear(index)),
    }
  })
}

function verdictOf(metric: string, before: number, after: number): Change['verdict'] {
  const { better } = historyMetric(metric)
  if (better === 'neither' || before === after) return 'other'
  return after > before === (better === 'higher') ? 'better' : 'worse'
}

function differences(left: readonly RunRecord[], right: readonly RunRecord[]): readonly string[] {
  const [last, first] = [left.at(-1)!, right[0]!]
  const versions = (['node', 'postgres', 'redis'] as const).flatMap((name) =>
    differs(name, last.environment.versions[name], first.environment.versions[name]),
  )
  const { kernel } = last.environment.machine
  return [...versions, ...differs('kernel', kernel, first.environment.machine.kernel), ...speed(left, right)]
}

const differs = (name: string, before: string | undefined, after: string | undefined): readonly string[] =>
  before === after ? [] : [`${name} ${before ?? 'unknown'} → ${after ?? 'unknown'}`]

function speed(left: readonly RunRecord[], right: readonly RunRecord[]): readonly string[] {
  const [before, after] = [left, right].map((runs) => runs.flatMap(({ figures }) => figures.machine_score ?? []))
  if (!before?.length || !after?.length) return []
  const ratio = median(after) / median(before)
  if (Math.abs(ratio - 1) < SAME_SPEED) return []
  return [`the machine's score ${Math.round(median(before))} → ${Math.round(median(after))}`]
}
