/** The page of a capacity measurement as a reader has it: in a real browser, without a network. */
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
import type { CapacityResult } from '../../bench/capacity/capacity-result.ts'
import { renderCapacityPage } from '../../bench/capacity/render-page.ts'
import { capacityWith } from '../fixtures/capacity-of.ts'

const LAW = { sigma: 0.06, kappa: 0.01 }
const MEASURED = capacityWith(LAW, [1, 2, 3])
/** Four instances, which the model does not know, carry what the law says of so many times the rate. */
const checked = (factor: number): CapacityResult => ({
  ...MEASURED,
  points: [
    ...MEASURED.points,
    ...capacityWith(LAW, [4], ['reporting-endpoints']).points.map((point) => ({
      ...point,
      role: 'check' as const,
      steps: point.steps.map((step) => ({ ...step, ratePerSecond: factor * step.ratePerSecond })),
    })),
  ],
})

const verdict = (result: CapacityResult): string => {
  const [, said = ''] = /<section id="verdict">(.*?)<\/section>/s.exec(renderCapacityPage(result)) ?? []
  return said.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
}

test('the verdict is about predictions that were measured afterwards', () => {
  expect(verdict(checked(1))).toContain(
    '✔ predictions hold 1 prediction of what the model does not know: all within 15 %',
  )
  expect(verdict(checked(0.7))).toContain('✘ predictions are off 1 of 1 prediction')
  expect(verdict(MEASURED)).toContain('? not checked')
  expect(verdict({ ...MEASURED, profile: 'smoke' })).toContain('say nothing about the capacity')
  expect(verdict({ ...MEASURED, points: MEASURED.points.map((point) => ({ ...point, steps: [] })) })).toContain(
    '? nothing held',
  )
})

test('each step is a point, each point of the model has its interval', () => {
  const page = renderCapacityPage(checked(1))
  const [, data = ''] = /id="charts">(.*?)<\/script>/s.exec(page) ?? []
  const { charts } = JSON.parse(data) as {
    charts: {
      id: string
      series?: { name: string; points: [number, number][] }[]
      rows?: { answer: string; value: number; low: number; high: number }[]
    }[]
  }
  const of = (id: string) => charts.find((chart) => chart.id === id)
  const tried = of('tried-reporting-endpoints')!.series!.flatMap(({ points }) => points)
  expect(tried).toHaveLength(4 * MEASURED.points[0]!.steps.length)
  const rows = of('predictions')!.rows!
  expect(rows).toHaveLength(MEASURED.points.length + 1)
  for (const { low, value, high } of rows) {
    expect(low).toBeLessThanOrEqual(high)
    expect(Math.abs(value)).toBeLessThan(15)
  }
  expect(rows.filter(({ answer }) => answer === 'predicted')).toHaveLength(1)
  expect(page.slice(0, page.indexOf('id="charts"'))).not.toMatch(/undefined|NaN|Infinity/)
})

describe.skipIf(!HAS_CHROMIUM)(`in Chromium${CHROMIUM_NEEDED}`, { timeout: 120_000 }, () => {
  let reader: Reader
  beforeAll(async () => {
    reader = await startReader()
  }, 120_000)
  afterAll(() => reader?.close())
  const open = (options: BrowserContextOptions) => reader.open(renderCapacityPage(checked(1)), options)

  test.each(DEVICES)('on %s all is drawn, fits the screen, and axe finds nothing', async (_device, options) => {
    const opened = await open(options)
    expect(await opened.page.locator('[data-chart]').count()).toBe(10)
    expect(await problemsOf(opened)).toEqual([])
  })

  test('by keyboard the law is said for each number of instances', async () => {
    const { page, complaints } = await open({})
    await page.locator('[data-chart="law-chart"]').focus()
    await page.keyboard.press('Home')
    await expect
      .poll(() => page.locator('[aria-live]').textContent())
      .toMatch(/^instances 1: law 1, lower end 1, upper end 1, Call state updates [\d.]+, .* times$/)
    expect(complaints).toEqual([])
  })

  test('without JavaScript there are the verdict, a picture and every figure as a table', async () => {
    const { page } = await open({ javaScriptEnabled: false })
    expect(await page.locator('#verdict').textContent()).toContain('predictions hold')
    expect(await page.locator('noscript svg').count()).toBe(1)
    expect(await page.locator('[data-chart]').first().isVisible()).toBe(false)
    await page.locator('#cpu-mixed-load summary').click()
    expect(await page.locator('#cpu-mixed-load tbody tr').first().isVisible()).toBe(true)
  })

  test('the measurement can be saved from it, as it was', async () => {
    const { page } = await open({ acceptDownloads: true })
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save capacity.json' }).click(),
    ])
    expect(JSON.parse(readFileSync(await download.path(), 'utf8'))).toEqual(checked(1))
  })
})
