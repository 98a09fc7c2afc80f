/** How far a comparison can be trusted, counted in runs that were kept. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Program, program } from '@hopwhistle/platform/test-support/program.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { differenceOf, welch } from '../../versions/calibration/other-methods.ts'
import { nextSeries, SERIES } from '../../versions/calibration/series.ts'
import { detectionOf, trustOf, wilson } from '../../versions/calibration/trust.ts'
import { ruleFor } from '../../versions/conclude.ts'
import { METRICS } from '../../versions/metrics.ts'
import { comparison } from './comparison.ts'

// Several start the command line, each twice or thrice.
vi.setConfig({ testTimeout: 120_000 })

describe("Welch's t-test", () => {
  test('gives the p-value that the integral of the distribution gives', () => {
    expect(welch([1, 2, 3, 4, 5], [2, 4, 6, 8, 10])).toBeCloseTo(0.1075311949, 9)
    const before = [27.5, 21, 19, 23.6, 17, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19, 21.7, 21.4]
    const after = [27.1, 22, 20.8, 23.4, 23.4, 23.5, 25.8, 22, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 24.4]
    expect(welch(before, after)).toBeCloseTo(0.0080719382, 9)
    expect(welch(after, before)).toBeCloseTo(0.0080719382, 9)
  })

  test('knows nothing of a single value, nor of values that do not vary', () => {
    expect(welch([1], [2, 3])).toBe(1)
    expect(welch([2, 2], [2, 2])).toBe(1)
    expect(welch([2, 2], [3, 3])).toBe(0)
  })
})

test('a difference is one of medians, and there is none without values', () => {
  expect(differenceOf([0, 0, 9], [0.1, 0.1, -9])).toBe(0.1)
  expect(differenceOf([0.1], [0])).toBe(-0.1)
  expect(differenceOf([], [1])).toBeUndefined()
})

test('the interval of a share is that of Wilson', () => {
  const [low, high] = wilson({ of: 40, found: 0 })
  expect(low).toBe(0)
  expect(high).toBeCloseTo(0.0876, 3)
  expect(wilson({ of: 0, found: 0 })).toEqual([0, 1])
})

describe('of runs that compare a version with itself', () => {
  const rule = ruleFor(0.05)
  const runs = (noise: number) => Array.from({ length: 6 }, (_, seed) => comparison(30, { noise }, seed))

  test('false alarms are counted by run, and planted slowdowns by metric', () => {
    const { falseAlarms, found } = trustOf(runs(0.02), rule)
    expect(falseAlarms.ours).toEqual({ of: 6, found: 0 })
    expect(falseAlarms.threshold).toEqual({ of: 6, found: 0 })
    const p99 = (change: number) => found.find((one) => one.change === change && one.metric.id === 'ingest.p99')!
    expect(p99(0.05).by.ours).toEqual({ of: 6, found: 6 })
    expect(p99(0.2).by.difference).toEqual({ of: 6, found: 6 })
    expect(found).toHaveLength(4 * METRICS.length)
  })

  test('a metric of which less is worse is slower when it is less', () => {
    const { found } = trustOf(runs(0.02), rule)
    const rate = found.find((one) => one.change === 0.1 && one.metric.id === 'live.rate')!
    expect(Object.values(rate.by).map(({ found }) => found)).toEqual([6, 6, 6, 6])
  })

  test('what a method calls faster is no slowdown that it found', () => {
    const faster = Array.from({ length: 6 }, (_, seed) => comparison(30, { latency: 0.8, noise: 0.02 }, seed))
    const { falseAlarms, found } = trustOf(faster, rule)
    expect(Object.values(falseAlarms).map(({ found }) => found)).toEqual([6, 6, 6, 6])
    const p99 = found.find((one) => one.change === 0.05 && one.metric.id === 'ingest.p99')!
    expect(Object.values(p99.by).map(({ found }) => found)).toEqual([0, 0, 0, 0])
  })

  test('a threshold sees slowdowns in what is only noise', () => {
    const { falseAlarms } = trustOf(
      Array.from({ length: 6 }, (_, seed) => comparison(4, { noise: 0.3 }, seed)),
      rule,
    )
    expect(falseAlarms.ours.found).toBe(0)
    expect(falseAlarms.threshold.found).toBe(6)
  })
})

describe('of runs in which one version is slower', () => {
  const metric = METRICS.find(({ id }) => id === 'live.p50')!
  const rule = ruleFor(0.05)

  test('it is counted who finds that, and measured how much slower it is', () => {
    const runs = Array.from({ length: 6 }, (_, seed) => comparison(30, { latency: 1.08, noise: 0.02 }, seed))
    const { found, slowdown } = detectionOf(runs, metric, rule)
    expect(found.ours).toEqual({ of: 6, found: 6 })
    expect(slowdown!.mean).toBeCloseTo(0.08, 2)
    expect(slowdown!.twiceError).toBeLessThan(0.005)
  })

  test('faster is not found', () => {
    const runs = Array.from({ length: 3 }, (_, seed) => comparison(30, { latency: 0.8, noise: 0.02 }, seed))
    const { found } = detectionOf(runs, metric, rule)
    expect(Object.values(found).map(({ found }) => found)).toEqual([0, 0, 0, 0])
  })
})

test('the series of which most is missing is next, and a finished one never', () => {
  const made = new Map<string, number>()
  for (let run = 0; run < 13; run++) {
    const name = nextSeries((one) => made.get(one) ?? 0)!
    made.set(name, (made.get(name) ?? 0) + 1)
  }
  expect(Object.fromEntries(made)).toMatchObject({ equal: 4, 'ingest-cpu': 2, 'live-p50-disturbed': 1 })
  expect(nextSeries((name) => SERIES[name].runs)).toBeUndefined()
  expect(nextSeries(() => 0, ['reports-p99'])).toBe('reports-p99')
})

test.each([
  ['a post of events', 'POST', '/api/v1/events/call', { SLOW_EVENTS_US: '50000' }, 50],
  ['a report', 'GET', '/api/v1/reporting/metrics', { SLOW_REPORTS_MS: '50' }, 50],
  ['nothing else', 'GET', '/health', { SLOW_EVENTS_US: '9e9', SLOW_REPORTS_MS: '9e9' }, 0],
])('the slowdown that is loaded into an API reaches %s', (_, method, path, env, leastMs) => {
  const slowDown = new URL('../../versions/calibration/slow-down.ts', import.meta.url)
  const script = `
    const server = require('node:http').createServer((_, reply) => reply.end()).listen(0, '127.0.0.1', async () => {
      const began = performance.now()
      await fetch('http://127.0.0.1:' + server.address().port + '${path}', { method: '${method}' })
      console.log(performance.now() - began)
      process.exit()
    })`
  const args = ['--import', slowDown.href, '--eval', script]
  const took = execFileSync(process.execPath, args, {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  })
  expect(Number(took)).toBeGreaterThanOrEqual(leastMs)
})

describe('calibrate', () => {
  let here: Program
  let dir: string
  const ofOther = () => join(here.tempDir, 'of-another-version')
  beforeAll(() => {
    here = program(new URL('../../main.ts', import.meta.url))
    dir = join(here.tempDir, 'calibration')
    mkdirSync(dir)
    const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
    const versions = { base: { commit }, head: { commit } }
    const write = (folder: string, name: string, record: object) =>
      writeFileSync(join(folder, `${name}.json.gz`), gzipSync(JSON.stringify(record)))
    for (const run of [1, 2]) write(dir, `equal-00${run}`, { ...comparison(12, {}, run), versions })
    write(dir, 'live-p50-001', { ...comparison(12, { latency: 1.2 }), versions })
    mkdirSync(ofOther())
    write(ofOther(), 'equal-001', comparison(12))
  })
  afterAll(() => here.remove())

  test('reports what is kept without measuring, when no run is asked for', async () => {
    const { code, stdout, stderr } = await here.run('calibrate', '--runs', '0', '--results-dir', dir)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('A version was compared with itself in 2 runs.')
    expect(stdout).toContain('| Median of live delivery')
    expect(stdout).toContain(readFileSync(join(dir, 'trust.md'), 'utf8'))
    expect(readdirSync(dir).toSorted()).toEqual([
      'equal-001.json.gz',
      'equal-002.json.gz',
      'live-p50-001.json.gz',
      'trust.md',
    ])
  })

  test('adds no run of another version to those that are kept', async () => {
    const other = await here.run('calibrate', '--version', 'HEAD', '--runs', '1', '--quick', '--results-dir', ofOther())
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('has runs of aaaaaaa, not of ') })
  })

  test('knows its series', async () => {
    const other = await here.run('calibrate', '--series', 'unequal', '--results-dir', dir)
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('--series is "unequal"; expected one of') })
  })

  test('counts again from what is kept, and says when nothing is', async () => {
    const again = await here.run('calibrate', '--from', dir)
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('| make compare') })
    const none = await here.run('calibrate', '--from', here.tempDir)
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no run in') })
  })
})
