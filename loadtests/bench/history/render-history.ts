/** The history as Markdown: the document of all environments, or the summary of one for a CI job. */
import { plural } from '@hopwhistle/platform/document/figures.ts'
import { blocks, bullets, code, day, table } from '@hopwhistle/platform/document/markdown.ts'
import { changeText, commitsText, levelsText, pText } from './change-text.ts'
import { type Change, changesOf } from './changes.ts'
import { type Comparable, comparableRuns } from './comparable.ts'
import { LEAST_FOR_CHART } from './history-chart.ts'
import type { EnvironmentHistory } from './history-files.ts'
import { historyMetric, scenariosIn, scenarioTitle } from './metrics.ts'

/** @param chartOf the file of a chart, for the groups that have one */
export function renderHistory(
  histories: readonly EnvironmentHistory[],
  chartOf: (history: EnvironmentHistory, group: Comparable) => string,
): string {
  return `${blocks(
    '# History',
    'The history shows which figures changed between which commits. `make baseline` adds its runs to it, and so do ' +
      '`npm run bench -- run --cluster` and `npm run bench -- collect` with the option `--document`. The runs, invalid ones ' +
      'included, are in [`loadtests/baselines/history`](../loadtests/baselines/history); this page is generated from them.',
    code(
      'bash',
      'npm run bench -- history                  # each metric over time, with its changes',
      'npm run bench -- history --add FOLDER     # add the runs of another copy of the history',
      'npm run bench -- history --precision      # measure how well changes are found: docs/history-precision.md',
    ),
    bullets([
      '**Which runs are compared.** Only runs with the same scenario, profile, load, machine, number of instances, settings ' +
        'of the instances and version of k6. The fingerprint in a heading is a hash of these. Invalid runs are not compared.',
      '**What may be the cause.** Each change has its range of commits, and what else was different: the versions of ' +
        'Node.js, Postgres and Redis, the kernel, or the speed of the machine.',
      '**How certain it is.** If the same runs are put into random order, a split as clear as this one appears with ' +
        'probability p. A change is shown if p ≤ 0.001 for its metric (E-divisive on ranks, with a permutation test). A large ' +
        'change is found after about eight runs.',
      '**How reliable this is** was measured on simulated series, and compared with Apache Otava: ' +
        '[precision and recall](history-precision.md).',
    ]),
    ...histories.map((history) => blocks(`## ${history.environment}`, environmentText(history, chartOf))),
    '## Sources',
    bullets([
      'Matteson and James, [*A Nonparametric Approach for Multiple Change Point Analysis of Multivariate ' +
        'Data*](https://arxiv.org/abs/1306.4933) (2014): E-divisive.',
      'Fleming et al., [*Hunter: Using Change Point Detection to Hunt for Performance ' +
        'Regressions*](https://doi.org/10.1145/3578244.3583719) (2023): the method of Apache Otava.',
    ]),
  )}\n`
}

/** What the newest run changed, and all changes before it. */
export function renderSummary(history: EnvironmentHistory): string {
  const changes = comparableRuns(history.runs).flatMap(changesOf)
  const newest = changes.filter(({ isNew }) => isNew)
  return `${blocks(
    '## What changed',
    newest.length === 0
      ? 'The newest runs show no new change.'
      : blocks('Found for the first time with the newest run:', bullets(newest.map(changeText))),
    environmentText(history),
  )}\n`
}

function environmentText(
  history: EnvironmentHistory,
  chartOf?: (history: EnvironmentHistory, group: Comparable) => string,
): string {
  const groups = comparableRuns(history.runs)
  return blocks(
    table(
      ['Scenario', 'Profile', 'Runs', 'Invalid', 'Comparable with the newest valid run'],
      scenariosIn(history.runs).map((scenario) => {
        const runs = history.runs.filter((run) => run.scenario === scenario)
        const newest = newestOf(groups, scenario)
        const invalid = runs.filter(({ reasons }) => reasons !== undefined)
        return [
          scenarioTitle(scenario),
          newest?.runs[0].profile ?? '–',
          String(runs.length),
          String(invalid.length),
          newest === undefined ? '–' : `${newest.runs.length}, \`${newest.fingerprint}\``,
        ]
      }),
      [2, 3],
    ),
    ...groups.map((group) => {
      const changes = changesOf(group)
      if (!isShown(groups, group) && changes.length === 0) return ''
      const chart =
        chartOf !== undefined && group.runs.length >= LEAST_FOR_CHART
          ? `![${scenarioTitle(group.scenario)}: each metric over time](charts/${chartOf(history, group)})`
          : ''
      return blocks(`### ${titleOf(group)}`, spanText(group), chart, changesText(group, changes))
    }),
  )
}

/** The comparable runs that the newest valid one of a scenario belongs to. */
export function newestOf(groups: readonly Comparable[], scenario: string): Comparable | undefined {
  const those = groups.filter((group) => group.scenario === scenario)
  const end = ({ runs }: Comparable) => runs.at(-1)!.startedAt
  return those.toSorted((a, b) => (end(a) < end(b) ? 1 : -1))[0]
}

/** Whether it has the newest run of its scenario, or is the newest one with a history. Those with a change are shown as well. */
function isShown(groups: readonly Comparable[], group: Comparable): boolean {
  const withHistory = groups.filter(({ runs }) => runs.length >= LEAST_FOR_CHART)
  return [groups, withHistory].some((those) => newestOf(those, group.scenario) === group)
}

const titleOf = ({ scenario, runs, fingerprint }: Comparable): string =>
  `${scenarioTitle(scenario)}, ${runs[0].profile}, ${fingerprint}`

function spanText({ runs }: Comparable): string {
  const [first, last] = [runs[0], runs.at(-1)!]
  const span = runs.length === 1 ? day(first.startedAt) : `${day(first.startedAt)} to ${day(last.startedAt)}`
  return `${plural(runs.length, 'comparable run')}, ${span}.`
}

/** With fewer runs than these, shuffled ones are too often as far apart as any. */
export const LEAST_RUNS = 17

function changesText({ runs }: Comparable, changes: readonly Change[]): string {
  if (changes.length === 0) {
    return runs.length < LEAST_RUNS ? `Too few runs to find a change: at least ${LEAST_RUNS} are needed.` : 'No change.'
  }
  return table(
    ['Metric', 'Change', 'p', 'Commits', 'First run after it', 'Changed as well', 'Otava'],
    changes.map((change) => [
      historyMetric(change.metric).label,
      levelsText(change),
      pText(change.p).slice(2),
      `\`${commitsText(change)}\``,
      day(change.firstAfter.startedAt),
      change.with.length === 0 ? '–' : change.with.join(', '),
      change.byOtava ? 'the same' : 'no change',
    ]),
  )
}
