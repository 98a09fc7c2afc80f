import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SCENARIO_NAMES } from '@hopwhistle/contract/scenarios.ts'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeResult } from '../../bench/run/result-files.ts'
import type { K6Result, RunnerResult } from '../../results-format.ts'
import { missingOf } from '../../scenarios/lib/complete-run.ts'
import { resultWith, STARTED_AT } from '../fixtures/result-with.ts'
import { k6Path, runK6, withK6 } from './k6.ts'
import { liveServer } from './live-server.ts'
import { slowServer } from './slow-server.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hopwhistle-results-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const usual = () => join(dir, 'call-state-updates.json')
const partial = () => join(dir, 'call-state-updates.partial.json')
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as K6Result

const set = (settings: object) => (runner: RunnerResult) => ({
  ...runner,
  settings: { ...runner.settings, ...settings },
})
const endedAfter = (seconds: number) => (runner: RunnerResult) => ({
  ...runner,
  endedAt: new Date(STARTED_AT + 1000 * seconds).toISOString(),
})

/** Runs that are not complete, and what is said of them. */
const PARTIAL: readonly (readonly [why: string, result: K6Result])[] = [
  ['profile smoke', resultWith({ profile: 'smoke' })],
  ['peakSeconds 5 of 60', resultWith({ runner: set({ peakSeconds: 5 }) })],
  ['targetPerSecond 100 of 500', resultWith({ runner: set({ targetPerSecond: 100 }) })],
  ['stopped after 20 of 75 s', resultWith({ runner: endedAfter(20) })],
  ['stopped, with exit code 105', resultWith({ runner: (runner) => ({ ...runner, exitCode: 105 }) })],
  ['1 of 2 runners', { ...resultWith(), expectedRunners: 2 }],
]

test.each(['full', 'quick'] as const)('a run of profile %s, to its end, is complete in each scenario', (profile) => {
  for (const scenario of SCENARIO_NAMES) {
    expect(missingOf(resultWith({ scenario, profile })), scenario).toBeUndefined()
    expect(missingOf(resultWith({ scenario, profile, runners: 2 })), scenario).toBeUndefined()
  }
})

test('a live run that is stopped while messages are under way is not complete', () => {
  const result = resultWith({
    scenario: 'redis-pubsub',
    runner: (runner) => ({ ...runner, counters: { ...runner.counters, k6_iterations: 10 } }),
  })
  expect(missingOf(result)).toBe('stopped before all was delivered')
})

test.each(PARTIAL)('a run that is not complete (%s) goes beside one that is, and says so', (why, result) => {
  const complete = resultWith()
  expect(writeResult(complete, dir)).toBeUndefined()
  const said = writeResult({ ...result, runId: 'newer' }, dir)
  expect(said).toContain(why)
  expect(said).toContain('call-state-updates.partial.json')
  expect(read(usual()).runId).toBe(complete.runId)
  expect(read(partial()).runId).toBe('newer')
})

test.each(PARTIAL)('a run that is not complete (%s) takes the usual place where no complete one is', (_, result) => {
  expect(writeResult(resultWith({ profile: 'smoke' }), dir)).toBeUndefined()
  expect(writeResult({ ...result, runId: 'newer' }, dir)).toBeUndefined()
  expect(read(usual()).runId).toBe('newer')
  expect(existsSync(partial())).toBe(false)
})

test('a complete run replaces a complete one', () => {
  writeResult(resultWith(), dir)
  expect(writeResult({ ...resultWith(), runId: 'newer' }, dir)).toBeUndefined()
  expect(read(usual()).runId).toBe('newer')
})

describe.skipIf(k6Path === undefined)(`k6 run by hand${withK6}`, () => {
  test('a short run does not replace a complete result, and says where it is', async () => {
    writeResult(resultWith(), dir)
    const server = await slowServer(() => 1)
    const { stdout } = await runK6('call-state-updates.ts', {
      API_URL: server.url,
      RESULTS_DIR: dir,
      VUS: '10',
      RATE: '20',
      RAMP_SECONDS: '1',
      PEAK_SECONDS: '1',
    })
    await server.close()
    expect(stdout).toContain(`result: ${partial()}`)
    expect(stdout).toMatch(/call-state-updates\.json is of a complete run and stays.*peakSeconds 1 of 60/)
    expect(read(usual())).toEqual(resultWith())
    expect(read(partial()).runners[0]!.counters.updates_ok_peak).toBeGreaterThan(0)
  }, 60_000)

  test('nor does one that Ctrl-C ends', async () => {
    writeResult(resultWith(), dir)
    const server = await slowServer(() => 1)
    const k6 = startK6('call-state-updates', { API_URL: server.url, RESULTS_DIR: dir, VUS: '10' })
    await waitUntil('events to arrive', () => server.events.length > 0, { timeoutMs: 50_000 })
    k6.child.kill('SIGINT')
    expect(await k6.ended).toMatch(/call-state-updates\.json is of a complete run and stays.*stopped after \d+ of 75 s/)
    await server.close()
    expect(read(usual())).toEqual(resultWith())
    expect(read(partial()).profile).toBe('quick')
  }, 60_000)

  test('nor does one of live delivery that Ctrl-C ends while messages are still missing', async () => {
    const live = (name: string) => join(dir, `redis-pubsub${name}.json`)
    writeResult(resultWith({ scenario: 'redis-pubsub' }), dir)
    const server = await liveServer({ loseEvery: 20 })
    // As short as can be, so that it is over soon; that alone makes it partial, and is not what is looked at here.
    const shape = { RAMP_SECONDS: '1', PEAK_SECONDS: '1', MESSAGES_PER_SECOND: '50', SUBSCRIBERS: '20' }
    const k6 = startK6('redis-pubsub', { API_URL: server.url, RESULTS_DIR: dir, RUN_ID: 'drain', ...shape })
    await waitUntil('the last farewell', () => server.farewells() === 10, { timeoutMs: 50_000 })
    k6.child.kill('SIGINT')
    await k6.ended
    await server.close()
    const { runners } = read(live('.partial'))
    const whole = resultWith({ scenario: 'redis-pubsub' })
    const settings = { ...runners[0]!.settings, ...whole.runners[0]!.settings, phases: runners[0]!.settings.phases }
    expect(missingOf({ ...whole, runners: [{ ...runners[0]!, settings }] })).toBe('stopped before all was delivered')
    expect(read(live(''))).toEqual(whole)
  }, 60_000)
})

function startK6(
  scenario: string,
  env: Readonly<Record<string, string>>,
): { child: ChildProcess; ended: Promise<string> } {
  const script = fileURLToPath(new URL(`../../scenarios/${scenario}.ts`, import.meta.url))
  const given = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const args = ['run', '--quiet', '--no-usage-report', '--address', '', ...given, script]
  const child = spawn(k6Path ?? 'k6', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  child.stdout.on('data', (data) => {
    said += data
  })
  return { child, ended: new Promise((resolve) => child.once('close', () => resolve(said))) }
}
