/** The history of one environment for people at a terminal. */
import { columns } from '@hopwhistle/platform/command-line/columns.ts'
import { plural } from '@hopwhistle/platform/document/figures.ts'
import { day } from '@hopwhistle/platform/document/markdown.ts'
import { changeText, levelsText, pText } from './change-text.ts'
import { changesOf } from './changes.ts'
import { type Comparable, comparableRuns, seriesOf } from './comparable.ts'
import type { EnvironmentHistory } from './history-files.ts'
import { figureText, historyMetric, scenariosIn, scenarioTitle } from './metrics.ts'
import { LEAST_RUNS, newestOf } from './render-history.ts'

export function renderTerminal(history: EnvironmentHistory): string {
  const groups = comparableRuns(history.runs)
  const invalid = history.runs.filter(({ reasons }) => reasons !== undefined).length
  const newest = scenariosIn(history.runs).flatMap((scenario) => newestOf(groups, scenario) ?? [])
  const changes = newest.flatMap(changesOf)
  return [
    `\n${history.environment}: ${plural(history.runs.length, 'run')}, ${invalid} of them invalid\n`,
    ...newest.map(groupText),
    changes.length === 0 ? 'No change.\n' : `${plural(changes.length, 'change')}:\n`,
    ...changes.map((change) => `  ${change.isNew ? 'new: ' : ''}${changeText(change)}.\n`),
  ].join('\n')
}

function groupText(group: Comparable): string {
  const { scenario, runs, fingerprint } = group
  const changes = changesOf(group)
  const few = runs.length < LEAST_RUNS ? `; ${LEAST_RUNS} are needed to tell a change from noise` : ''
  const rows = seriesOf(group).map(({ metric, points }) => {
    const kind = historyMetric(metric)
    const last = changes.filter((change) => change.metric === metric).at(-1)
    return [
      `  ${kind.label}`,
      figureText(points.at(-1)!.value, kind),
      sparkline(points.map(({ value }) => value)),
      last === undefined ? '' : `${levelsText(last)}, ${pText(last.p)}, ${day(last.firstAfter.startedAt)}`,
    ]
  })
  return [
    `${scenarioTitle(scenario)}, ${runs[0].profile}: ${plural(runs.length, 'comparable run')} (${fingerprint})${few}`,
    columns([['  metric', 'newest', 'over time', 'last change'], ...rows]),
  ].join('\n')
}

const BARS = '▁▂▃▄▅▆▇█'
const MOST_BARS = 40

/** The newest values, from the lowest to the highest of them. */
function sparkline(values: readonly number[]): string {
  const shown = values.slice(-MOST_BARS)
  const [low, high] = [Math.min(...shown), Math.max(...shown)]
  const bar = (value: number) => (high === low ? 3 : Math.round((7 * (value - low)) / (high - low)))
  return shown.map((value) => BARS[bar(value)]).join('')
}
