/** The report as a reader has it: in a real browser, without a network. */
import { readFileSync } from 'node:fs'
import { SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
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
import { judge } from '../../bench/judge/judge.ts'
import { renderReport } from '../../bench/report/render-report.ts'
import { resultWith } from '../fixtures/result-with.ts'

const judged = (options: Parameters<typeof resultWith>[0]) => {
  const result = resultWith(options)
  return { ...result, verdict: judge(result) }
}

test('a result may say anything, and nothing of it becomes markup', () => {
  const hostile = '<img src=x onerror=alert(1)>'
  const result = judged({})
  const report = renderReport([
    {
      ...result,
      runId: hostile,
      verdict: { ...result.verdict, reasons: [{ rule: 'r', effect: 'remark', text: `k6 ${hostile} </script>` }] },
    },
  ])
  expect(report).not.toContain('<img src=x')
  expect(report).toContain('&lt;img src=x onerror=alert(1)&gt;')
})

test('each kind of traffic is shown with its own targets, and on the seconds of the servers', () => {
  const report = renderReport([judged({ scenario: 'mixed-load' })])
  const [, data = ''] = /id="charts">(.*?)<\/script>/s.exec(report) ?? []
  const { charts } = JSON.parse(data) as { charts: { id: string; seconds?: number; targets?: { value: number }[] }[] }
  const { messages, reports } = SCENARIOS['mixed-load'].targets
  const targetsOf = (kind: string) =>
    charts.find(({ id }) => id === `mixed-load-latency-${kind}`)?.targets?.map(({ value }) => value)
  expect(targetsOf('messages')).toEqual([messages.p50Ms, messages.p95Ms, messages.p99Ms])
  expect(targetsOf('reports')).toEqual([reports.p50Ms, reports.p95Ms, reports.p99Ms])
  expect(new Set(charts.flatMap(({ seconds = [] }) => seconds)).size).toBe(1)
})

test('a run of 100 runners makes less than 5 MB', () => {
  const report = renderReport([judged({ scenario: 'redis-pubsub', profile: 'full', runners: 100 })])
  expect(Buffer.byteLength(report)).toBeLessThan(5_000_000)
})

describe.skipIf(!HAS_CHROMIUM)(`in Chromium${CHROMIUM_NEEDED}`, { timeout: 120_000 }, () => {
  let reader: Reader
  let report: string
  beforeAll(async () => {
    reader = await startReader()
    report = renderReport([
      judged({}),
      judged({ scenario: 'reporting-endpoints', slowness: 40 }),
      judged({ scenario: 'redis-pubsub', slowness: 3 }),
    ])
  }, 120_000)
  afterAll(() => reader?.close())
  const open = (options: BrowserContextOptions) => reader.open(report, options)

  test.each(DEVICES)('on %s all is drawn, fits the screen, and axe finds nothing', async (_device, options) => {
    const opened = await open(options)
    expect(await opened.page.locator('[data-chart]').count()).toBeGreaterThan(30)
    expect(await problemsOf(opened)).toEqual([])
  })

  test('by keyboard the cursor of a chart moves, and what it shows is said', async () => {
    const { page, complaints } = await open({})
    const chart = page.locator('[data-chart="call-state-updates-latency-updates"]')
    await chart.focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    const said = page.locator('[aria-live]')
    await expect
      .poll(() => said.textContent(), { timeout: 30_000 })
      .toMatch(/^0:0\d: p50 [\d.]+, p95 [\d.]+, p99 [\d.]+ ms$/)
    await page.keyboard.press('+')
    expect(complaints).toEqual([])
  })

  test('without JavaScript there are the verdicts, a picture and every figure as a table', async () => {
    const { page } = await open({ javaScriptEnabled: false })
    const text = (await page.locator('main').textContent()) ?? ''
    expect(text).toContain('p95 latency')
    expect(await page.locator('noscript svg').count()).toBe(3)
    expect(await page.locator('[data-chart]').first().isVisible()).toBe(false)
    await page.locator('#call-state-updates-latency-updates summary').click()
    expect(await page.locator('#call-state-updates-latency-updates tbody tr').count()).toBeGreaterThan(50)
  })

  test('a result can be saved from it, as it was', async () => {
    const { page } = await open({ acceptDownloads: true })
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save call-state-updates.json' }).click(),
    ])
    expect(JSON.parse(readFileSync(await download.path(), 'utf8'))).toEqual(JSON.parse(JSON.stringify(judged({}))))
  })
})
