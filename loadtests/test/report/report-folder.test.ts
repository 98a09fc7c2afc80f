/** The folder that a server of static files shows: which reports are in it, and the list of them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeTempDir } from '@hopwhistle/platform/stack/run-as.ts'
import {
  CHROMIUM_NEEDED,
  DEVICES,
  HAS_CHROMIUM,
  problemsOf,
  type Reader,
  startReader,
} from '@hopwhistle/platform/test-support/chromium.ts'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { judge } from '../../bench/judge/judge.ts'
import { keepReport } from '../../bench/report/report-folder.ts'
import { resultWith } from '../fixtures/result-with.ts'

const judged = (options: Parameters<typeof resultWith>[0]) => {
  const result = resultWith(options)
  return { ...result, verdict: judge(result) }
}
const CALLS = judged({})
const SLOW = judged({ scenario: 'reporting-endpoints', slowness: 40 })
const night = (day: number) => new Date(Date.UTC(2026, 10, day, 3, 4, 5))

let dir: string
beforeEach(() => {
  dir = makeTempDir('hopwhistle-report-folder-')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))
const index = () => readFileSync(join(dir, 'index.html'), 'utf8')
const links = () => [...index().matchAll(/<a href="([^"#]+\.html)">/g)].map(([, link]) => link!)

test('lists by scenario and time, with the verdict, and every link leads to a report', async () => {
  await keepReport(dir, SLOW, 30, night(1))
  await keepReport(dir, CALLS, 30, night(1))
  await keepReport(dir, CALLS, 30, night(2))
  expect(links()).toEqual([
    `call-state-updates/20261102-030405.${CALLS.verdict.outcome}.${CALLS.profile}.html`,
    `call-state-updates/20261101-030405.${CALLS.verdict.outcome}.${CALLS.profile}.html`,
    `reporting-endpoints/20261101-030405.${SLOW.verdict.outcome}.${SLOW.profile}.html`,
  ])
  for (const link of links()) expect(readFileSync(join(dir, link), 'utf8')).toContain('<h1>Load test report</h1>')
  expect(index()).toContain('2 November 2026, 03:04 UTC')
  expect(SLOW.verdict.outcome).not.toBe(CALLS.verdict.outcome)
})

test('keeps the newest of each scenario, and what a killed process left goes', async () => {
  mkdirSync(join(dir, 'call-state-updates'))
  writeFileSync(join(dir, 'call-state-updates', '20261031-030405.met.full.html.new'), 'half of')
  await keepReport(dir, SLOW, 2, night(1))
  for (const day of [1, 2, 3, 4]) await keepReport(dir, CALLS, 2, night(day))
  expect(readdirSync(join(dir, 'call-state-updates')).map((name) => name.slice(0, 8))).toEqual(['20261103', '20261104'])
  expect(readdirSync(join(dir, 'reporting-endpoints'))).toHaveLength(1)
  expect(links()).toHaveLength(3)
})

test('leaves alone what is not its own, and does not list it', async () => {
  mkdirSync(join(dir, 'lost+found'))
  mkdirSync(join(dir, 'call-state-updates'))
  writeFileSync(join(dir, 'call-state-updates', 'notes.html'), 'mine')
  await keepReport(dir, CALLS, 1, night(1))
  expect(existsSync(join(dir, 'call-state-updates', 'notes.html'))).toBe(true)
  expect(links()).toHaveLength(1)
  expect(index()).not.toContain('lost+found')
})

describe.skipIf(!HAS_CHROMIUM)(`in Chromium${CHROMIUM_NEEDED}`, { timeout: 120_000 }, () => {
  let reader: Reader
  beforeAll(async () => {
    reader = await startReader()
  }, 120_000)
  afterAll(() => reader?.close())

  test.each(DEVICES)('on %s the list fits the screen, and axe finds nothing', async (_device, options) => {
    await keepReport(dir, CALLS, 30, night(1))
    await keepReport(dir, SLOW, 30, night(2))
    const opened = await reader.open(index(), options)
    expect(await opened.page.getByRole('link', { name: /2026/ }).count()).toBe(2)
    expect(await problemsOf(opened)).toEqual([])
  })
})
