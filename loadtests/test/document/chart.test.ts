import { linearScale, logScale, timeScale } from '@hopwhistle/platform/document/chart/scale.ts'
import { expect, test } from 'vitest'
import { renderChart } from '../../bench/document/chart/render-chart.ts'
import { chartDataOf, MOST_POINTS } from '../../bench/document/chart-data.ts'
import { judge } from '../../bench/judge/judge.ts'
import { resultWith } from '../fixtures/result-with.ts'

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
  expect(svg.match(/<path d="M[^"]*M[^"]*" class="p99"/)).not.toBeNull()
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

test('scales have round ticks', () => {
  expect(linearScale(550, 0, 100, 4).ticks).toEqual([0, 200, 400, 600])
  expect(logScale(7, 600, 0, 100).ticks).toEqual([5, 10, 20, 50, 100, 200, 500, 1000])
  expect(logScale(2, 900, 0, 100).ticks).toEqual([1, 10, 100, 1000])
  expect(timeScale(360, 0, 100, 8).ticks).toEqual([0, 60, 120, 180, 240, 300, 360])
  expect(timeScale(75, 0, 100, 8).ticks).toEqual([0, 10, 20, 30, 40, 50, 60, 70])
  expect(logScale(10, 1000, 0, 100).at(100)).toBeCloseTo(50)
})
