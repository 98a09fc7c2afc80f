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
    'Every run of record, invalid ones included, is kept in ' +
      '[`loadtests/baselines/history`](../loadtests/baselines/history): `make baseline`, and `bench run --cluster` or `bench collect` with `--document`, add ' +
      'theirs. This document is written from it.',
    code(
      'bash',
      'npm run bench -- history                  # each metric over time, with its changes',
      'npm run bench -- history --add FOLDER     # add the runs of another copy of the history',
      'npm run bench -- history --precision      # measure the method: docs/history-precision.md',
    ),
    bullets([
      '**Like with like.** Runs are compared only when scenario, profile, load, machine, number of instances, their ' +
        'settings and the version of k6 are the same. The fingerprint is a hash of these. An invalid run has no figures.',
      '**What may have changed something is named.** A change names the range of commits, and what differs besides: ' +
        'versions of Node.js, Postgres and Redis, the kernel, the speed of the machine.',
      '**A change has a p value.** It is the share of shuffled series with a split as clear as this one: E-divisive on ' +
        'ranks with a permutation test, p ≤ 0.001 for each metric. It takes about eight runs after a large step until it is said.',
      '**How far to trust it** was measured on simulated series: [precision and recall](history-precision.md), next to ' +
        'those of Apache Otava.',
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
      ? 'The newest runs show no change that was not known before.'
      : blocks('Seen for the first time with the newest run:', bullets(newest.map(changeText))),
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
      ['Scenario', 'Profile', 'Runs', 'Invalid', 'Comparable with the newest valid one'],
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
    return runs.length < LEAST_RUNS
      ? `Too few for a change to be told from noise: ${LEAST_RUNS} are needed.`
      : 'No change.'
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
