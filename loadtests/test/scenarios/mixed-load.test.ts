import { describe, expect, test } from 'vitest'
import { judge } from '../../bench/judge/judge.ts'
import { renderTable } from '../../bench/judge/render-table.ts'
import { RULES_ABOUT_TIMING } from '../../bench/judge/rules/rules.ts'
import { histogramCount } from '../../scenarios/lib/histogram.ts'
import { latencyOf, totalsOf } from '../../scenarios/lib/totals.ts'
import { resultWith, withCounters } from '../fixtures/result-with.ts'
import { k6Path, resultOf, runK6, runSegments, withK6 } from './k6.ts'
import { liveServer } from './live-server.ts'
import { schemaErrors } from './schema.ts'

const SUBSCRIBERS = 12
const SHAPE = {
  PROFILE: 'smoke',
  SUBSCRIBERS: String(SUBSCRIBERS),
  PUBLISHER_VUS: '2',
  MESSAGES_PER_SECOND: '50',
  RAMP_SECONDS: '1',
  PEAK_SECONDS: '3',
}
/** 51 a second: half as many on average during the ramp. */
const PLANNED = 178

describe.skipIf(k6Path === undefined)(`mixed load measured by k6${withK6}`, () => {
  test('every message is delivered and timed, and a fifth as many reports are read meanwhile', async () => {
    const server = await liveServer()
    const run = await runK6('mixed-load.ts', { ...SHAPE, API_URL: server.url })
    await server.close()
    const result = await resultOf(run, 'mixed-load.json')
    expect(schemaErrors(result)).toEqual([])
    const [runner] = result.runners
    const { counters, settings } = runner!
    expect(counters).toMatchObject({
      messages_due: PLANNED * SUBSCRIBERS,
      messages_delivered: PLANNED * SUBSCRIBERS,
      messages_lost: 0,
      reports_failed_ramp: 0,
      reports_failed_peak: 0,
    })
    const reports = counters.reports_ok_ramp! + counters.reports_ok_peak!
    expect(reports).toBe(counters.reports_sent_ramp! + counters.reports_sent_peak!)
    expect(reports).toBeGreaterThan(0.5 * 11 * 3.5)
    expect(reports).toBeLessThanOrEqual(11 * 3.5 + 1)
    expect(histogramCount(latencyOf('report_latency', runner!, 'peak'))).toBe(counters.reports_ok_peak)
    expect(settings).toMatchObject({ targetPerSecond: 50, subscribers: SUBSCRIBERS, publishers: 2, maxVUs: 20 })
    expect(run.stdout).toMatch(/mixed-load .*msg\/s/)
    expect(run.stdout).toMatch(/^ +[\d.]+ req\/s/m)
  }, 180_000)
})

describe.skipIf(k6Path === undefined)(`mixed load of two k6 processes${withK6}`, () => {
  test('adds up: each has its share of publishers, subscribers and reports', async () => {
    const server = await liveServer()
    const runs = await runSegments('mixed-load.ts', { ...SHAPE, API_URL: server.url, RUN_ID: 'two' }, 2)
    await server.close()
    const files = ['mixed-load-0-1_2.json', 'mixed-load-1_2-1.json']
    const results = await Promise.all(runs.map((run, i) => resultOf(run, files[i]!)))
    const runners = results.flatMap(({ runners }, i) => runners.map((one) => ({ ...one, instance: String(i + 1) })))
    const { counters } = totalsOf(runners)
    expect(counters.messages_due).toBe(PLANNED * SUBSCRIBERS)
    expect(counters.messages_delivered).toBe(PLANNED * SUBSCRIBERS)
    expect(runners.map(({ counters }) => counters.subscribers_connected)).toEqual([SUBSCRIBERS / 2, SUBSCRIBERS / 2])
    const reports = runners.map(({ counters }) => counters.reports_ok_ramp! + counters.reports_ok_peak!)
    expect(reports[0]! + reports[1]!).toBeLessThanOrEqual(11 * 3.5 + 2)
    for (const own of reports) expect(own).toBeGreaterThan(0)
    const said = judge({ ...results[0]!, runners }).reasons.filter(({ rule }) => !RULES_ABOUT_TIMING.has(rule))
    expect(said.filter(({ effect }) => effect === 'invalid')).toEqual([])
  }, 180_000)
})

const mixed = (counters: Readonly<Record<string, number>> = {}) =>
  resultWith({ scenario: 'mixed-load', runner: withCounters(counters) })

test('both kinds of traffic are judged, each against its own targets', () => {
  const { metrics, outcome } = judge(mixed({ reports_ok_peak: 2_000, reports_failed_peak: 783 }))
  expect(metrics.map(({ label, target }) => `${label} ${target}`)).toEqual([
    'Message delivery rate 95',
    'Message throughput 250',
    'p50 latency 50',
    'p95 latency 100',
    'p99 latency 200',
    'Request rate of reports 50',
    'Success rate of reports 98',
    'p50 latency of reports 150',
    'p95 latency of reports 300',
    'p99 latency of reports 500',
  ])
  expect(outcome).toBe('missed')
  expect(metrics.filter(({ status }) => status === 'missed').map(({ label }) => label)).toEqual([
    'Request rate of reports',
    'Success rate of reports',
  ])
})

test('a load without its reports proves nothing', () => {
  const few = { reports_sent_peak: 1_000, reports_ok_peak: 1_000 }
  const said = judge(mixed(few)).reasons.map(({ text }) => text)
  expect(said).toContain(
    'generator: 18.2 reports a second were sent during the peak; 51 were to be offered and the target needs 50',
  )
})

test('the table has a line for each kind of traffic', () => {
  const lines = renderTable([mixed()], { colour: false }).split('\n')
  expect(lines[0]).toMatch(/^ {2}mixed-load +253\.0 msg\/s ✓ ≥250 /)
  expect(lines[1]).toMatch(/^ {2}reports +50\.\d req\/s ✓ ≥50 /)
  expect(lines[2]).toMatch(/^ {2}limited by /)
})
