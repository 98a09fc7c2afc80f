/** The page of a comparison as a reader has it: in a real browser, without a network. */
import { readFileSync } from 'node:fs'
import {
  type BrowserContextOptions,
  CHROMIUM_NEEDED,
  DEVICES,
  HAS_CHROMIUM,
  problemsOf,
  type Reader,
  startReader,
} from '@hopwhistle/platform/test-support/chromium.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { conclude, ruleFor } from '../../versions/conclude.ts'
import type { ComparisonRecord } from '../../versions/measured.ts'
import { effectsOf, METRICS } from '../../versions/metrics.ts'
import { renderComparisonPage } from '../../versions/render-page.ts'
import { courseOf, neededFor } from '../../versions/statistics/decide.ts'
import { comparison } from './comparison.ts'

const MARGIN = 0.05
const RULE = ruleFor(MARGIN)
const SLOWER = comparison(30, { latency: 1.2, cpu: 0.8 })

type Chart = {
  readonly id: string
  readonly kind: string
  readonly rows?: readonly { readonly name: string; readonly answer: string; readonly points: readonly number[] }[]
  readonly series?: readonly { readonly name: string; readonly points: readonly (readonly [number, number | null])[] }[]
  readonly margin?: number
}

function chartsOf(record: ComparisonRecord): ReadonlyMap<string, Chart> {
  const [, data = ''] = /id="charts">(.*?)<\/script>/s.exec(renderComparisonPage(record, MARGIN)) ?? []
  const { charts } = JSON.parse(data) as { charts: readonly Chart[] }
  return new Map(charts.map((chart) => [chart.id, chart]))
}

test('every metric has its interval, and a point for each round, next to the margin', () => {
  const { rows = [], margin } = chartsOf(SLOWER).get('changes')!
  expect(margin).toBe(5)
  expect(rows.map(({ name }) => name)).toEqual(METRICS.map(({ label }) => label))
  for (const { points } of rows) expect(points).toHaveLength(SLOWER.rounds.length)
  const p50 = rows.find(({ name }) => name === 'Call events: p50')!
  expect(p50.answer).toBe('slower')
  for (const point of p50.points) expect(point).toBeCloseTo(20, -1)
})

test('the evidence that is drawn reaches what it takes exactly where the answer says so', () => {
  const charts = chartsOf(SLOWER)
  const { suspicion, same } = neededFor(RULE)
  for (const { metric, answer } of conclude(SLOWER, RULE).metrics) {
    const course = courseOf(effectsOf(metric, SLOWER.rounds), RULE)
    const most = (values: readonly number[]) => Math.max(...values)
    if (answer === 'slower') expect(most(course.slower.evidence), metric.id).toBeGreaterThanOrEqual(suspicion)
    if (answer === 'same') expect(Math.min(most(course.notSlower), most(course.notFaster))).toBeGreaterThanOrEqual(same)
  }
  const change = charts.get('evidence-change')!
  expect(change.series!.length).toBeGreaterThan(1)
  for (const { points } of change.series!) {
    expect(points).toHaveLength(SLOWER.rounds.length)
    expect(Math.max(...points.map(([, value]) => value ?? 0))).toBeGreaterThanOrEqual(suspicion)
  }
})

test('each window has its latency, of both versions', () => {
  const charts = chartsOf(SLOWER)
  for (const kind of ['ingest', 'reports', 'live'] as const) {
    const windows = SLOWER.rounds.flatMap((round) => round.windows.filter((window) => window.kind === kind))
    const { series = [] } = charts.get(`latency-${kind}`)!
    expect(series.map(({ name }) => name)).toEqual([
      ...['base p50', 'head p50', 'base p95', 'head p95', 'base p99', 'head p99'],
    ])
    expect(series[0]!.points.map(([, ms]) => ms)).toEqual(
      windows.map(({ sides }) => Number(sides.base.latency.p50Ms.toPrecision(4))),
    )
  }
})

test('what has no end is drawn without one, and nothing is no number', () => {
  for (const record of [comparison(0), comparison(1), comparison(2, { noise: 3 })]) {
    const page = renderComparisonPage(record, MARGIN)
    const text = page.slice(0, page.indexOf('id="charts"'))
    expect(text).not.toMatch(/undefined|NaN|Infinity/)
    expect(text).toContain('undecided')
  }
  const { rows = [] } = chartsOf(comparison(1)).get('changes')!
  expect(rows.every((row) => 'low' in row && row.low === null)).toBe(true)
})

test('a name may say anything, and nothing of it becomes markup', () => {
  const hostile = '<img src=x onerror=alert(1)>'
  const page = renderComparisonPage(
    { ...SLOWER, name: hostile, versions: { ...SLOWER.versions, base: { ref: hostile, commit: hostile } } },
    MARGIN,
  )
  expect(page).not.toContain('<img src=x')
})

test('a comparison of an hour makes less than 5 MB', () => {
  expect(Buffer.byteLength(renderComparisonPage(comparison(120, { noise: 0.6 }), MARGIN))).toBeLessThan(5_000_000)
}, 120_000)

describe.skipIf(!HAS_CHROMIUM)(`in Chromium${CHROMIUM_NEEDED}`, { timeout: 120_000 }, () => {
  let reader: Reader
  beforeAll(async () => {
    reader = await startReader()
  }, 120_000)
  afterAll(() => reader?.close())
  const open = (options: BrowserContextOptions) => reader.open(renderComparisonPage(SLOWER, MARGIN), options)

  test.each(DEVICES)('on %s all is drawn, fits the screen, and axe finds nothing', async (_device, options) => {
    const opened = await open(options)
    expect(await opened.page.locator('[data-chart]').count()).toBe(6)
    expect(await problemsOf(opened)).toEqual([])
  })

  test('by keyboard one goes from metric to metric, and from round to round, and each is said', async () => {
    const { page, complaints } = await open({})
    const said = page.locator('[aria-live]')
    await page.locator('[data-chart="changes"]').focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    await expect
      .poll(() => said.textContent())
      .toMatch(/^Call events: p50: \+[\d.]+ % \(\+[\d.]+ to \+[\d.]+ %\), slower$/)
    await page.locator('[data-chart="latency-live"]').focus()
    await page.keyboard.press('End')
    await expect.poll(() => said.textContent()).toMatch(/^round 30[\d.]*: base p50 [\d.]+, head p50 [\d.]+, .* ms$/)
    await page.keyboard.press('+')
    expect(complaints).toEqual([])
  })

  test('without JavaScript there are the answer and every figure as a table', async () => {
    const { page } = await open({ javaScriptEnabled: false })
    const text = (await page.locator('#answer').textContent()) ?? ''
    expect(text).toContain('✘ slower')
    expect(text).toContain('Slower: Call events: p50 (+')
    expect(await page.locator('[data-chart]').first().isVisible()).toBe(false)
    await page.locator('figure#changes summary').click()
    const rows = page.locator('figure#changes tbody tr')
    expect(await rows.count()).toBe(METRICS.length)
    expect(await rows.first().isVisible()).toBe(true)
    expect(await page.locator('figure#latency-ingest tbody tr').count()).toBe(60)
  })

  test('on paper there is every chart, and no button', async () => {
    const { page } = await open({})
    await page.emulateMedia({ media: 'print' })
    expect(await page.getByRole('button').count()).toBe(0)
    expect(await page.locator('[data-chart="changes"] canvas').isVisible()).toBe(true)
    expect((await page.pdf()).length).toBeGreaterThan(10_000)
  })

  test('the windows can be saved from it, as they were', async () => {
    const { page } = await open({ acceptDownloads: true })
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save compare.json' }).click(),
    ])
    expect(JSON.parse(readFileSync(await download.path(), 'utf8'))).toEqual(SLOWER)
  })
})
