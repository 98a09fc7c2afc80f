import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PROGRESS } from '@hopwhistle/contract/traffic/call-progress.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { histogramCount, mergeHistograms, nearestRank, percentileMs } from '../../scenarios/lib/histogram.ts'
import { k6Path, type Run, resultOf, runK6, runSegments, withK6 } from './k6.ts'
import { schemaErrors } from './schema.ts'
import { type SlowServer, slowServer } from './slow-server.ts'

const RUNNERS = 2
const RATE = 200
const OFFERED = 202
const PEAK_SECONDS = 5

/** Mostly quick, now and then slow: a tail as real ones have. */
const randomDelay = () => 2 + Math.random() ** 8 * 400

describe.skipIf(k6Path === undefined)(`requests measured by two k6 processes${withK6}`, () => {
  let server: SlowServer
  let runs: readonly Run[]

  beforeAll(async () => {
    server = await slowServer(randomDelay)
    const env = { API_URL: server.url, RUN_ID: 'segments', PROFILE: 'smoke', RATE: String(RATE), VUS: '41' }
    const seconds = { RAMP_SECONDS: '1', PEAK_SECONDS: String(PEAK_SECONDS) }
    runs = await runSegments('call-state-updates.ts', { ...env, ...seconds }, RUNNERS, (i) => [
      '--out',
      `json=${raw(i)}`,
    ])
  }, 60_000)
  afterAll(async () => {
    await server?.close()
    for (const runner of [0, 1]) await rm(raw(runner), { force: true })
  })

  const raw = (runner: number) => join(tmpdir(), `hopwhistle-raw-${process.pid}-${runner}.json`)
  const results = async () => ({
    first: await resultOf(runs[0]!, 'call-state-updates-0-1_2.json'),
    second: await resultOf(runs[1]!, 'call-state-updates-1_2-1.json'),
  })

  test('percentiles merged from buckets are those of the pooled raw samples, within 1 %', async () => {
    const { first, second } = await results()
    const histograms = [...first.runners, ...second.runners].flatMap((runner) => Object.values(runner.histograms))
    const merged = mergeHistograms(histograms)
    const samples = (await Promise.all(runs.map((_, i) => durations(raw(i))))).flat().sort((a, b) => a - b)

    expect(samples.length).toBeGreaterThan(1000)
    expect(histogramCount(merged)).toBe(samples.length)
    for (const percent of [50, 95, 99, 99.9]) {
      const exact = samples[nearestRank(percent, samples.length) - 1]!
      const error = Math.abs(percentileMs(merged, percent)! - exact) / exact
      expect(error, `p${percent}: ${percentileMs(merged, percent)} from buckets, ${exact} exact`).toBeLessThan(0.010001)
    }
  })

  test('counts are exact: every event sent is one that arrived, once, and its outcome is counted', async () => {
    const { first, second } = await results()
    const sum = (name: string) => (first.runners[0]!.counters[name] ?? 0) + (second.runners[0]!.counters[name] ?? 0)
    expect(sum('updates_sent_ramp') + sum('updates_sent_peak')).toBe(server.events.length)
    expect(sum('updates_ok_ramp') + sum('updates_ok_peak')).toBe(server.events.length)
    expect(sum('updates_failed_ramp') + sum('updates_failed_peak')).toBe(0)
    expect(new Set(server.events.map(({ eventId }) => eventId)).size).toBe(server.events.length)
  })

  test('two runners offer the whole rate once, in equal shares and the same phases', async () => {
    const { first, second } = await results()
    const [a, b] = [first, second].map((result) => result.runners[0]!.counters.updates_sent_peak!)
    expect(a! + b!).toBeGreaterThan(OFFERED * PEAK_SECONDS * 0.97)
    expect(a! + b!).toBeLessThanOrEqual(OFFERED * PEAK_SECONDS + 2)
    expect(Math.abs(a! - b!)).toBeLessThanOrEqual(0.03 * (a! + b!))
    expect(first.runners[0]!.settings).toMatchObject({ vus: 42, maxVUs: 100, offeredPerSecond: OFFERED })
    expect(first.runners[0]!.settings.phases).toEqual(second.runners[0]!.settings.phases)
    expect([first, second].map(({ expectedRunners, runners }) => [expectedRunners, runners[0]!.segment])).toEqual([
      [2, '0:1/2'],
      [2, '1/2:1'],
    ])
  })

  test('every call goes through its states in order', () => {
    const statesOf = Map.groupBy(server.events, ({ callId }) => callId)
    for (const events of statesOf.values()) {
      expect(events.map(({ state }) => state)).toEqual(PROGRESS.slice(0, events.length))
    }
    expect([...statesOf.values()].some((events) => events.length === PROGRESS.length)).toBe(true)
  })

  test('both results are valid by the published schema', async () => {
    const { first, second } = await results()
    expect(schemaErrors(first)).toEqual([])
    expect(schemaErrors(second)).toEqual([])
  })
})

describe.skipIf(k6Path === undefined)(`reports measured by k6${withK6}`, () => {
  test('asks for three reports in equal shares, hardly ever the same, and follows cursors', async () => {
    const server = await slowServer(() => 1)
    const env = { API_URL: server.url, PROFILE: 'smoke', RATE: '100', RAMP_SECONDS: '1', PEAK_SECONDS: '3', VUS: '10' }
    const run = await runK6('reporting-endpoints.ts', env)
    await server.close()
    const result = await resultOf(run, 'reporting-endpoints.json')
    expect(schemaErrors(result)).toEqual([])
    const { counters, histograms, thresholds } = result.runners[0]!
    expect(counters.reports_failed_peak).toBe(0)
    const counts = ['hourly', 'calls', 'daily'].map((name) =>
      histogramCount(histograms[`report_latency_${name}_peak`]!),
    )
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(counters.reports_sent_peak)
    const asked = server.paths.slice(1)
    expect(new Set(asked).size).toBeGreaterThan(asked.length * 0.9)
    expect(asked.filter((path) => path.includes('cursor=')).length).toBeGreaterThan(10)
    expect(thresholds.length).toBeGreaterThan(0)
  }, 30_000)
})

describe.skipIf(k6Path === undefined)(`k6 run by hand${withK6}`, () => {
  test('names every setting that is wrong, what it is and what it may be', async () => {
    const run = await runK6('call-state-updates.ts', { PROFILE: 'foo', RATE: 'abc', API_URL: 'localhost' })
    expect(run.code).not.toBe(0)
    expect(run.stderr).toContain('PROFILE is \\"foo\\"; it may be full, quick, smoke')
    expect(run.stderr).toContain('RATE is \\"abc\\"; it may be a whole number of requests a second, 1 to 1000000')
    expect(run.stderr).toContain('API_URL is \\"localhost\\"; it may be http://host:port or https://host:port')
  })

  test('without an API is one clear error, and a result without samples that meets nothing', async () => {
    const run = await runK6('call-state-updates.ts', { API_URL: 'http://127.0.0.1:9', PROFILE: 'smoke' })
    expect(run.code).toBe(108)
    expect(run.stderr).toContain('API_URL http://127.0.0.1:9 does not answer')
    const result = await resultOf(run, 'call-state-updates.json')
    expect(schemaErrors(result)).toEqual([])
    expect(result.runners[0]!.thresholds.filter(({ ok }) => !ok).map(({ metric }) => metric)).toContain(
      'updates_ok_peak',
    )
    expect(run.stdout).toContain('no samples')
  })
})

/** The durations of all requests of the scenario, as k6 itself sampled them. */
async function durations(file: string): Promise<number[]> {
  const values: number[] = []
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const { type, metric, data } = JSON.parse(line)
    if (type === 'Point' && metric === 'http_req_duration' && data.tags.scenario === 'updates') values.push(data.value)
  }
  return values
}
