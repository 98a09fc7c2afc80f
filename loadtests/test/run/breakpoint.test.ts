/** Profiles breakpoint and soak, against a server that answers one request after the other. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { hopelessTarget } from '../../bench/evidence/broken-targets.ts'
import type { LoadtestResult } from '../../bench/evidence/loadtest-result.ts'
import { breakpointOf, breakpointText } from '../../bench/judge/breakpoint.ts'
import type { SeriesPoint } from '../../results-format.ts'
import { histogramOfValues } from '../../scenarios/lib/histogram.ts'
import { resultWith } from '../fixtures/result-with.ts'
import { serverWith } from '../fixtures/server-with.ts'
import { k6Path, withK6 } from '../scenarios/k6.ts'
import { slowServer } from '../scenarios/slow-server.ts'
import { bench } from '../support/bench.ts'

/** @param ms for each request */
const oneAfterTheOther = (ms: number) => {
  let freeAt = 0
  return slowServer(() => {
    freeAt = Math.max(Date.now(), freeAt) + ms
    return freeAt - Date.now()
  })
}

describe.skipIf(k6Path === undefined)(`a real k6${withK6}`, { timeout: 200_000 }, () => {
  const here = bench()
  afterAll(() => here.remove())

  async function measure(profile: string, msEach: number, env: Readonly<Record<string, string>>) {
    const server = await oneAfterTheOther(msEach)
    const own = bench({ ...env, HOPWHISTLE_MEASURING_DIR: join(here.tempDir, 'turns'), HOPWHISTLE_NEIGHBOUR: 'any' })
    const args = ['call-state-updates', '--profile', profile, '--api-url', server.url, '--results-dir', here.tempDir]
    const { code, stdout, stderr } = await own.run('run', ...args, '--wait')
    await server.close()
    own.remove()
    return {
      code,
      said: stdout + stderr,
      result: JSON.parse(readFileSync(join(here.tempDir, 'call-state-updates.json'), 'utf8')) as LoadtestResult,
    }
  }

  test('a rising rate is ended when a target breaks, and the answer is the rate that held before', async () => {
    const { code, said, result } = await measure('breakpoint', 8, { RATE: '400', RAMP_SECONDS: '60' })
    const { verdict, abandoned, runners } = result
    expect(said).toMatch(/all targets held up to \d+ updates\/s, and broke at \d+: p9[59] of updates/)
    expect(verdict?.outcome).toBe('missed')
    expect(code).toBe(1)
    // One request takes 8 ms: 125 a second is all there is.
    expect(verdict?.metrics[0]?.measured).toBeGreaterThan(20)
    expect(verdict?.metrics[0]?.measured).toBeLessThan(150)
    expect(abandoned?.because).toMatch(/updates/)
    expect(runners[0]?.settings.phases[0]?.toSeconds).toBeGreaterThan(abandoned!.afterSeconds)
  })

  test('a soak is ended as soon as a target cannot be met any more, and has missed it', async () => {
    // In 60 s at 100/s, 1 % of 6,060 updates may take longer than 500 ms; here all do before long.
    const { code, said, result } = await measure('soak', 20, {
      ...{ RATE: '100', VUS: '50', RAMP_SECONDS: '2', PEAK_SECONDS: '60' },
    })
    expect(said).toMatch(/ended after \d+ s, for a target cannot be met any more: \d.* updates took longer than \d+ ms/)
    expect(result.verdict?.outcome).toMatch(/missed|invalid/)
    expect(code).not.toBe(0)
    expect(result.abandoned!.afterSeconds).toBeLessThan(60)
  })
})

const STARTED = Date.parse('2026-11-20T10:00:00.000Z')

/** Windows of 6 s in which the rate rises by 60 a second each, and the latency jumps at one of them. */
const risingTo = (slowFrom: number): readonly SeriesPoint[] =>
  Array.from({ length: 10 }, (_, i) => ({
    at: new Date(STARTED + 6000 * (i + 1)).toISOString(),
    windowSeconds: 6,
    counters: { updates_ok_ramp: 360 * (i + 1), k6_iterations: 360 * (i + 1) },
    histograms: {
      update_latency_ramp: histogramOfValues(Array.from({ length: 100 }, () => (i >= slowFrom ? 450 : 20))),
    },
  }))

test('what was used up first is named, with the rate at which it was', () => {
  const cpu = Array.from({ length: 600 }, (_, second) => (second < 30 ? 1 : 0.05))
  const server = serverWith({
    machine: { cpuCores: { user: cpu.map((idle) => 2 - idle), system: 0, iowait: 0, steal: 0, idle: cpu } },
  })
  const base = resultWith({ server })
  const runners = base.runners.map((runner) => ({ ...runner, startedAt: new Date(STARTED).toISOString() }))
  const found = breakpointOf({ ...base, runners, series: risingTo(7) })
  expect(found.heldPerSecond).toBe(420)
  expect(found.broke?.ratePerSecond).toBe(480)
  expect(found.saturated[0]).toMatchObject({ name: "the machine's CPU", ratePerSecond: 360 })
  expect(breakpointText(found, 'updates/s')).toMatch(
    /^all targets held up to 420 updates\/s, and broke at 480: p95 of updates 4\d\d ms, target <300 ms\. Used up first: the machine's CPU \(9\d %, at 360 updates\/s\)/,
  )
  const unbroken = breakpointOf({ ...base, runners, series: risingTo(99) })
  expect(unbroken.broke).toBeUndefined()
  expect(breakpointText(unbroken, 'updates/s')).toContain('no target broke up to 600 updates/s')
  // One slow window is a disturbance.
  const disturbed = risingTo(7).with(3, risingTo(3)[3]!)
  expect(breakpointOf({ ...base, runners, series: disturbed }).heldPerSecond).toBe(420)
})

test('a target is hopeless only when the rest of the peak, however fast, cannot make up for it', () => {
  const slow = (count: number) => ({
    counters: {},
    histograms: { update_latency_peak: histogramOfValues(Array.from({ length: count }, () => 700)) },
  })
  const peak = { seconds: 100, subscribers: 0, times: 1 }
  // Of 50,500 updates, 505 may take longer than the p99 allows.
  expect(hopelessTarget('call-state-updates', peak, slow(505))).toBeUndefined()
  expect(hopelessTarget('call-state-updates', peak, slow(506))).toBe(
    '506 updates took longer than 500 ms, more than 1 % of all 50,500 that were planned',
  )
  expect(
    hopelessTarget('call-state-updates', peak, { counters: { updates_failed_peak: 2_526 }, histograms: {} }),
  ).toContain('failed')
})
