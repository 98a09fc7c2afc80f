/** Rules for every board that its types cannot express. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import type { Board } from '../boards/board.ts'
import type { Panel } from '../panels/panel.ts'
import { metricsIn, selectorsIn } from './metrics-in.ts'
import { percentileProblems } from './percentiles.ts'

const OURS = new Set<string>(Object.values(METRICS))
const SHORTEST_DESCRIPTION = 20

/** @returns one line for each fault: board, panel, and what is wrong */
export function boardProblems(board: Board): readonly string[] {
  const titles = board.rows.flatMap(({ panels }) => panels.map(({ title }) => title))
  const twice = titles.filter((title, i) => titles.indexOf(title) !== i)
  return [
    ...twice.map((title) => `${board.name}: has two panels "${title}"`),
    ...board.rows.flatMap(({ panels }) =>
      panels.flatMap((panel) =>
        panelProblems(panel, board.choosesRun === true).map((problem) => `${board.name}, "${panel.title}": ${problem}`),
      ),
    ),
  ]
}

function panelProblems(panel: Panel, choosesRun: boolean): readonly string[] {
  const { title, description, thresholds, queries } = panel
  return [
    ...(title.trim() === '' ? ['has no title'] : []),
    ...(description.length < SHORTEST_DESCRIPTION ? ['has no description'] : []),
    ...(/\bgood\b|growing is well/i.test(description) ? [] : ['does not say what good looks like']),
    ...(thresholds.length === 0 ? ['has no thresholds'] : []),
    ...(queries.length === 0 ? ['asks nothing'] : []),
    ...queries.flatMap(({ expr, legend, needs }) => [
      ...(legend === '' ? ['has a series without a name'] : []),
      ...percentileProblems(expr),
      ...unknownMetrics(expr),
      ...(needs === 'stack' ? notChosen(expr) : []),
      ...(needs === 'load-test' && !choosesRun ? ['shows a load test without letting one be chosen'] : []),
    ]),
  ]
}

/** Metric names of Hopwhistle must be in the contract, apart from suffixes that Prometheus adds to a histogram. */
export const unknownMetrics = (expr: string): readonly string[] =>
  [...metricsIn(expr)]
    .filter(
      (name) =>
        name.startsWith('hopwhistle_') && !OURS.has(name) && !OURS.has(name.replace(/_(bucket|count|sum)$/, '')),
    )
    .map((name) => `reads ${name}, which the contract does not have`)

const notChosen = (expr: string): readonly string[] =>
  selectorsIn(expr)
    .filter(({ labels }) => !labels.has('namespace') || !labels.has('release'))
    .map(({ metric }) => `reads ${metric} of every namespace and release`)
