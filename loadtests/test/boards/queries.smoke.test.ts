/** Every query of every board and rule, asked of a Prometheus that looks at the real platform under load. */
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alertGroups } from '../../../dashboards/src/alerts/alert-groups.ts'
import { BOARDS } from '../../../dashboards/src/boards/boards.ts'
import { metricsIn } from '../../../dashboards/src/lint/metrics-in.ts'
import { askRange, hasFigure } from '../../../dashboards/src/pictures/ask-prometheus.ts'
import { nativePercentile } from '../../../dashboards/src/promql.ts'
import { testRunning } from '../../../dashboards/src/queries/load-test.ts'
import type { Needs } from '../../../dashboards/src/queries/query.ts'
import { recordingGroups } from '../../../dashboards/src/rules/recordings.ts'
import { DEMO } from '../../../dashboards/src/scale.ts'
import { DELIBERATELY_UNUSED } from '../../../dashboards/src/unused-metrics.ts'
import { addressesOf, problemOf, runnable } from '../../../dashboards/tests/runbook-commands.ts'
import { mergeHistograms, percentileMs } from '../../scenarios/lib/histogram.ts'
import { limitsInDocument, limitsOnBoard } from './limits-said-twice.ts'
import { type MonitoredStack, missing, monitoredStack } from './monitored-stack.ts'

type Asked = { readonly where: string; readonly expr: string; readonly needs: Needs }

const OF_BOARDS: readonly Asked[] = BOARDS.flatMap(({ name, rows }) =>
  rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) =>
      queries.map(({ expr, legend, needs }) => ({ where: `${name}, "${title}", ${legend}`, expr, needs })),
    ),
  ),
)
const OF_ALERTS: readonly Asked[] = alertGroups(DEMO).flatMap(({ alerts }) =>
  alerts.flatMap(({ name, when, needs }) =>
    when.flatMap((signals) =>
      signals.map(({ query }, i) => ({ where: `${name}, signal ${i + 1}`, expr: query, needs })),
    ),
  ),
)
const OF_RECORDINGS: readonly Asked[] = recordingGroups(DEMO).flatMap(({ recordings }) =>
  recordings.map(({ record, labels, expr }) => ({
    where: `${record} ${Object.values(labels ?? {}).join(' ')}`,
    expr,
    needs: 'stack' as const,
  })),
)
const ALL = [
  ...OF_BOARDS,
  ...OF_ALERTS,
  ...OF_RECORDINGS,
  { where: 'annotation', expr: testRunning, needs: 'load-test' as const },
]

/** Promises are about the speed of this machine, which others may use: promtool tests the alerts about them. */
const NO_PROMISE = 'slo=""'

describe.skipIf(missing() !== undefined)(`with ${missing() ?? 'Prometheus and its exporters'}`, () => {
  let stack: MonitoredStack

  beforeAll(async () => {
    stack = await monitoredStack()
    // What is recorded of the last scrape is there a few evaluations later.
    await waitUntil(
      'the load test to end in Prometheus',
      async () => {
        const now = Date.now() / 1000
        const answer = await askRange(stack.prometheusUrl, 'k6_vus', { fromSeconds: now - 1, toSeconds: now })
        return answer.length === 0
      },
      { timeoutMs: 30_000, everyMs: 500 },
    )
  }, 240_000)
  afterAll(() => stack?.stop())

  test('every target is up', async () => {
    const answer = await askRange(stack.prometheusUrl, 'up == 0', stack)
    expect(answer.map(({ metric }) => metric)).toEqual([])
  })

  test('every query that the platform or a load test has data for gives some', async () => {
    const empty: string[] = []
    for (const { where, expr, needs } of ALL) {
      const answer = await askRange(stack.prometheusUrl, expr, stack)
      if (needs !== 'kubernetes' && !hasFigure(answer)) empty.push(`${where}: ${expr}`)
    }
    expect(empty).toEqual([])
  })

  test('a query of what does not exist is found empty', async () => {
    expect(hasFigure(await askRange(stack.prometheusUrl, 'hopwhistle_nonsense', stack))).toBe(false)
    await expect(askRange(stack.prometheusUrl, 'sum(', stack)).rejects.toThrow(/parse error/)
  })

  test('every command of a runbook that needs no cluster does what it says', async () => {
    const commands = runnable()
    expect(commands.length).toBeGreaterThan(50)
    const problems: (string | undefined)[] = []
    // One after the other: sixty programs at once are slow on two cores.
    for (const command of commands) problems.push(await problemOf(command, addressesOf(stack.details)))
    expect(problems.filter((problem) => problem !== undefined)).toEqual([])
    const wrong = { runbook: 'x', line: 'psql $PRIMARY -c "select nonsense"', program: 'psql' }
    expect(await problemOf(wrong, addressesOf(stack.details))).toContain('nonsense')
  })

  test('every metric of the API is on a board or in an alert, or is left out for a reason', async () => {
    const text = await (await fetch(`${stack.details.api[0]?.adminUrl}/metrics`)).text()
    const exported = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name)
    expect(exported).toEqual(expect.arrayContaining(Object.values(METRICS)))
    const read = new Set(
      ALL.flatMap(({ expr }) =>
        [...metricsIn(expr)].flatMap((name) => [name, name.replace(/_(bucket|count|sum)$/, '')]),
      ),
    )
    expect(exported.filter((name) => !read.has(name) && DELIBERATELY_UNUSED[name] === undefined)).toEqual([])
    expect(Object.keys(DELIBERATELY_UNUSED).filter((name) => read.has(name) || !exported.includes(name))).toEqual([])
  })

  test('docs/performance-baselines.md reads limits and their use as the board Limits shows them', async () => {
    await waitUntil(
      'both to say the same of a platform at rest',
      async () => {
        const [board, document] = await Promise.all([limitsOnBoard(stack), limitsInDocument(stack)])
        expect(Object.keys(board).sort()).toEqual(Object.keys(LIMITS).sort())
        expect(Object.keys(document)).toEqual(Object.keys(board))
        for (const [resource, shown] of Object.entries(board)) {
          const { limit, use } = document[resource]!
          expect({ resource, limit }).toEqual({ resource, limit: shown.limit })
          // Looked at within seconds of each other, and not at once.
          expect(Math.abs(use - shown.use), resource).toBeLessThanOrEqual(Math.max(5, 0.05 * shown.use))
        }
        return true
      },
      { timeoutMs: 30_000, everyMs: 1_000 },
    )
  }, 40_000)

  test('no alert fires on a platform that is well', async () => {
    const answer = await askRange(stack.prometheusUrl, `ALERTS{alertstate="firing", ${NO_PROMISE}}`, stack)
    expect(answer.map(({ metric }) => metric.alertname)).toEqual([])
  })

  test('a percentile of the merged histograms is the one that k6 counted', async () => {
    const merged = nativePercentile(0.95, 'k6_update_latency_peak_seconds', {}).replace('$__rate_interval', '5m')
    const seconds = (await askRange(stack.prometheusUrl, merged, stack)).at(0)?.values.at(-1)?.[1]
    const { runners } = stack.results.get('call-state-updates')!
    const counted = percentileMs(mergeHistograms(runners.map((runner) => runner.histograms.update_latency_peak!)), 95)!
    // Its buckets are 10 % wide, and what came before the first push is not in it.
    expect(Number(seconds) * 1_000).toBeGreaterThan(counted * 0.75)
    expect(Number(seconds) * 1_000).toBeLessThan(counted * 1.25)
  })

  // The last one: the platform is not whole any more.
  test('a replica that is killed raises the alerts about it within two minutes, and no other', async () => {
    await stack.killReplica()
    const firing = async () => {
      const response = await fetch(`${stack.prometheusUrl}/api/v1/alerts`)
      const { data } = (await response.json()) as {
        data: { alerts: readonly { labels: { alertname: string; slo?: string }; state: string }[] }
      }
      return data.alerts
        .filter(({ state, labels }) => state === 'firing' && labels.slo === undefined)
        .map(({ labels }) => labels.alertname)
        .sort()
    }
    const expected = ['HopwhistleReplicaGone', 'HopwhistleReplicaUnused', 'HopwhistleSlotInactive']
    await waitUntil(`${expected} to fire`, async () => (await firing()).length >= expected.length, {
      timeoutMs: 120_000,
      everyMs: 1_000,
    })
    expect(await firing()).toEqual(expected)
  }, 130_000)
})
