import { renderSvg } from '@hopwhistle/platform/document/chart/render-svg.ts'
import { COLOURS } from '@hopwhistle/platform/document/chart/theme.ts'
import { expect, test } from 'vitest'
import { chartDataOf, MOST_POINTS } from '../../bench/document/chart-data.ts'
import { type ChartOptions, scenarioChart } from '../../bench/document/scenario-chart.ts'
import { judge } from '../../bench/judge/judge.ts'
import { resultWith } from '../fixtures/result-with.ts'

const renderChart = (options: ChartOptions) => renderSvg(scenarioChart(options))

const chart = (options: Parameters<typeof resultWith>[0] = {}) => {
  const result = resultWith(options)
  return renderChart({
    title: 'Call <state> & updates',
    subtitle: 'profile full',
    metrics: judge(result).metrics,
    data: chartDataOf(result),
  })
}

test('neighbouring windows are added up, so that a long run has as many points as an eye can tell apart', () => {
  const data = chartDataOf(resultWith({ profile: 'full' }))
  expect(data.points.length).toBeLessThanOrEqual(MOST_POINTS)
  expect(data.points.length).toBeGreaterThan(MOST_POINTS / 2)
  const [at, rate, p50, p95, p99] = data.points.at(-1)!
  expect(at).toBeGreaterThan(355)
  expect(rate).toBe(505)
  expect(p50! < p95! && p95! < p99!).toBe(true)
})

test('what k6 did before and after the load is left out', () => {
  const result = resultWith()
  const idle = (at: string) => ({ at, windowSeconds: 1, counters: {}, histograms: {} })
  const series = [idle('2026-11-20T09:59:58.000Z'), ...result.series!, idle('2026-11-20T10:05:00.000Z')]
  expect(chartDataOf({ ...result, series })).toEqual(chartDataOf(result))
})

test('a window without samples interrupts the lines of latency', () => {
  const result = resultWith()
  const series = result.series!.map((point, i) => (i === 50 ? { ...point, histograms: {} } : point))
  const data = chartDataOf({ ...result, series })
  expect(data.points[50]?.slice(2)).toEqual([null, null, null])
  const svg = renderChart({ title: 't', subtitle: 's', metrics: judge(result).metrics, data })
  expect(svg).toMatch(new RegExp(`<path d="M[^"]*M[^"]*" fill="none" stroke="${COLOURS.p99}"`))
})

test('a chart says what it shows to those who cannot see it, and escapes what it is given', () => {
  const svg = chart()
  expect(svg).toContain('<title>Call &lt;state&gt; &amp; updates: rate and latency over time</title>')
  expect(svg).toMatch(/<desc>profile full\. Throughput 505\.0 updates\/s \(target &gt;= 500 updates\/s\)/)
  expect(svg).not.toMatch(/NaN|undefined|Infinity/)
})

test('target lines are labelled, units are there', () => {
  const svg = chart()
  for (const label of [
    'p95 &lt; 300 ms',
    'p99 &lt; 500 ms',
    'target 500/s',
    'latency in ms',
    'updates/s',
    'ramp',
    'peak',
  ]) {
    expect(svg).toContain(`>${label}</text>`)
  }
})

test('a run without a single sample still makes a chart', () => {
  const result = { ...resultWith(), series: [] }
  const data = chartDataOf(result)
  expect(data.points).toEqual([])
  expect(renderChart({ title: 't', subtitle: 's', metrics: judge(result).metrics, data })).not.toMatch(/NaN|Infinity/)
})

test('axes have round ticks', () => {
  const svg = chart({ profile: 'full' })
  for (const tick of ['1', '10', '100', '1,000', '0', '200', '400', '600', '0:00', '1:00', '6:00']) {
    expect(svg).toContain(`>${tick}</text>`)
  }
})
