import { LIMIT_TABLES, LIMITS } from '@hopwhistle/contract/limits.ts'
import { expect, test } from 'vitest'
import type { Alert } from '../src/alerts/alert.ts'
import { alertGroups } from '../src/alerts/alert-groups.ts'
import { BOARD_UIDS } from '../src/board-names.ts'
import type { Board } from '../src/boards/board.ts'
import { BOARDS } from '../src/boards/boards.ts'
import { readRunbook, runbooksDashboard } from '../src/boards/runbooks.ts'
import { toDashboard } from '../src/boards/to-dashboard.ts'
import { alertProblems, runbookProblems } from '../src/lint/lint-alerts.ts'
import { boardProblems } from '../src/lint/lint-boards.ts'
import { metricsIn, selectorsIn } from '../src/lint/metrics-in.ts'
import { percentileProblems } from '../src/lint/percentiles.ts'
import { figure, lines } from '../src/panels/panel.ts'
import { courseOnly } from '../src/panels/thresholds.ts'
import { loadTestQuery, query } from '../src/queries/query.ts'
import { runbookLink } from '../src/runbook-link.ts'
import { PRODUCTION, SCALES } from '../src/scale.ts'

const alerts = alertGroups(PRODUCTION).flatMap((group) => group.alerts)

test('nothing is wrong with our boards, alerts and runbooks', () => {
  const ofAlerts = SCALES.flatMap((scale) => alertProblems(alertGroups(scale).flatMap((group) => group.alerts)))
  expect([...BOARDS.flatMap(boardProblems), ...ofAlerts, ...runbookProblems()]).toEqual([])
})

test.each([
  ['avg(histogram_quantile(0.95, sum by (le) (rate(x_bucket[5m]))))', 'aggregates percentiles'],
  ['sum by (instance) (histogram_quantile(0.95, sum by (le) (rate(x_bucket[5m]))))', 'aggregates percentiles'],
  ['avg_over_time(histogram_quantile(0.5, sum by (le) (rate(x_bucket[5m])))[1h:])', 'aggregates percentiles'],
  ['avg by (job) (k6_http_req_duration_p95)', 'a percentile already'],
  ['sum(nodejs_eventloop_lag_p99_seconds{job="a"})', 'a percentile already'],
  ['sum(rpc_seconds{quantile="0.95"})', 'percentiles of a summary'],
  ['histogram_quantile(0.95, rate(x_bucket[5m]))', 'has to be sum by (le, …)'],
  ['histogram_quantile(0.95, avg by (le) (rate(x_bucket[5m])))', 'has to be sum by (le, …)'],
])('%s is a percentile of nothing', (expr, problem) => {
  expect(percentileProblems(expr).join()).toContain(problem)
})

test.each([
  'histogram_quantile(0.95, sum by (le, instance) (rate(x_bucket{a="b"}[5m])))',
  'histogram_quantile(0.95, sum(rate(native_seconds{a="b"}[5m])))',
  'max by (instance) (nodejs_eventloop_lag_p99_seconds)',
  'avg(temperature)',
])('%s is well', (expr) => {
  expect(percentileProblems(expr)).toEqual([])
})

test('metrics of an expression are told apart from functions, labels and keywords', () => {
  const expr = 'sum by (le, a) (rate(x_total{b=~"y_total|z"}[5m])) / on (a) group_left (c) (up > bool 0) or vector(0)'
  expect([...metricsIn(expr)]).toEqual(['x_total', 'up'])
  expect(selectorsIn('x{a="1", b!~"2"} / y')).toEqual([
    { metric: 'x', labels: new Set(['a', 'b']) },
    { metric: 'y', labels: new Set() },
  ])
})

test('every limit is in one of the tables of the board Limits', () => {
  expect(Object.values(LIMIT_TABLES).flat().sort()).toEqual(Object.keys(LIMITS).sort())
})

const boardOf = (...panels: Board['rows'][number]['panels']): Board => ({
  name: 'api',
  title: 'T',
  description: 'D',
  rows: [{ title: 'R', panels }],
})
const sound = lines({
  title: 'A',
  unit: 's',
  description: 'What it shows. Good is below 1 s.',
  thresholds: courseOnly,
  queries: [query('x', 'sum(up{namespace=~"$namespace", release=~"$release"})')],
})

test('a board’s linter finds what a panel lacks', () => {
  expect(boardProblems(boardOf(sound))).toEqual([])
  const faults = [
    { ...sound, title: ' ' },
    { ...sound, description: '' },
    { ...sound, description: 'It shows how much there is of it.' },
    { ...sound, thresholds: [] },
    { ...sound, queries: [] },
    { ...sound, queries: [query('', sound.queries[0]!.expr)] },
    { ...sound, queries: [query('x', 'sum(up)')] },
    { ...sound, queries: [query('x', 'sum(hopwhistle_nonsense{namespace="a", release="b"})')] },
    { ...sound, queries: [loadTestQuery('x', 'sum(k6_vus)')] },
  ]
  expect(
    faults.map((panel) =>
      boardProblems(boardOf(panel))
        .map((line) => line.replace(/^.*?": /, ''))
        .join('; '),
    ),
  ).toEqual([
    'has no title',
    'has no description; does not say what good looks like',
    'does not say what good looks like',
    'has no thresholds',
    'asks nothing',
    'has a series without a name',
    'reads up of every namespace and release',
    'reads hopwhistle_nonsense, which the contract does not have',
    'shows a load test without letting one be chosen',
  ])
  expect(boardProblems(boardOf(sound, sound))).toEqual(['api: has two panels "A"'])
})

test('an alert’s linter finds what it lacks', () => {
  const [first] = alerts as [Alert]
  const problemsOf = (changed: Partial<Alert>) =>
    alertProblems([...alerts.slice(1), { ...first, ...changed }])
      .map((line) => line.replace(/^.*?: /, ''))
      .join('; ')
  expect(problemsOf({})).toBe('')
  expect(problemsOf({ name: 'not_a_name' })).toBe('has a name that is not PascalCase')
  expect(problemsOf({ name: alerts[1]!.name })).toBe('is there twice')
  expect(problemsOf({ summary: 'It burns' })).toBe('does not say where')
  expect(problemsOf({ summary: 'It burns on {{ $labels.node }}' })).toBe('says node, which is not one of its labels')
  expect(problemsOf({ meaning: 'bad' })).toBe('does not say in a sentence what it means')
  expect(problemsOf({ when: [] })).toBe('looks at nothing')
  const once = { query: 'increase(up[1m])', is: '>', value: 0 } as const
  expect(problemsOf({ when: [[once]], lasting: '1m' })).toBe('has forgotten after 1m what has to last 1m')
  expect(problemsOf({ when: [[once]], lasting: '30s' })).toBe('')
  expect(alertProblems(alerts.filter(({ runbook }) => runbook !== 'slow-readers'))).toEqual([
    'runbook slow-readers: no alert links to it',
  ])
})

test('a runbook’s linter finds what it lacks', () => {
  const without = (piece: string) => runbookProblems((name) => readRunbook(name).replace(piece, ''))
  expect(without('\n## What to do\n').length).toBeGreaterThan(20)
  expect(without('\n### websockets\n')).toEqual(['runbook limit-near: has nothing about websockets'])
})

test.each(BOARDS.map((board) => [board.name, board] as const))(
  '%s is a dashboard that Grafana can lay out',
  (_, board) => {
    const { uid, panels = [], templating, links } = toDashboard(board)
    expect(uid).toBe(BOARD_UIDS[board.name])
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos }) => {
      const { x, y, w, h } = gridPos!
      expect(x + w).toBeLessThanOrEqual(24)
      return Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`)
    })
    expect(new Set(cells).size).toBe(cells.length)
    expect(templating?.list?.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['datasource', 'namespace', 'release']),
    )
    expect(links).toHaveLength(1)
  },
)

test('in Grafana a runbook links to panels, and to no file', () => {
  const text = JSON.stringify(runbooksDashboard())
  expect(text).not.toMatch(/\]\([^)]*\.md/)
  expect(text).toContain(`[replica-gone](${runbookLink('replica-gone')})`)
})

test('a figure that says what good is passes, whatever its kind', () => {
  expect(boardProblems(boardOf(figure({ ...sound })))).toEqual([])
})
