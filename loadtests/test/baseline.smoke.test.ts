/** The whole main job, small: that a verdict is reached and that its evidence adds up. Never how fast it was. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { BASELINE_SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { SCORE_NAME } from '@hopwhistle/platform/machine/single-thread-score.ts'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { LoadtestResult } from '../bench/evidence/loadtest-result.ts'
import { type ApiEvidence, peakOf, type ServerEvidence } from '../bench/sample/server-evidence.ts'
import { histogramCount } from '../scenarios/lib/histogram.ts'
import { type Bench, bench, type Ended } from './support/bench.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const results = () => `${here.tempDir}/results`
let here: Bench
let ended: Ended

beforeAll(async () => {
  // Other tests' programs belong to the machine here: no run is repeated because of them.
  here = bench({ API_INSTANCES: '3', SUBSCRIBER_VUS: '3', HOPWHISTLE_NEIGHBOUR: 'any' })
  ended = await here.run('baseline', '--profile', 'smoke', '--results-dir', results())
}, 320_000)
afterAll(() => here.remove())

const read = (scenario: string) =>
  JSON.parse(readFileSync(`${results()}/${scenario}.json`, 'utf8')) as LoadtestResult & { server: ServerEvidence }

test('a verdict is reached on each scenario, and the exit code is theirs', () => {
  const outcomes = BASELINE_SCENARIOS.map((scenario) => read(scenario).verdict?.outcome)
  for (const outcome of outcomes) expect(['met', 'missed', 'invalid']).toContain(outcome)
  const expected = outcomes.includes('invalid') ? 2 : outcomes.includes('missed') ? 1 : 0
  expect(ended.code, ended.stderr).toBe(expected)
  for (const scenario of BASELINE_SCENARIOS) expect(ended.stdout).toContain(scenario)
})

test('without a terminal, each scenario has a line for its begin and one for its end, and no line is rewritten', () => {
  for (const scenario of BASELINE_SCENARIOS) {
    expect(ended.stderr).toMatch(new RegExp(`^\\d\\d:\\d\\d:\\d\\d  … ${scenario}$`, 'm'))
    expect(ended.stderr).toMatch(new RegExp(`^\\d\\d:\\d\\d:\\d\\d  [✓✗] ${scenario} +\\w+ \\(\\d.* s\\)$`, 'm'))
  }
  for (const control of ['\r', '\x1b']) expect(ended.stdout + ended.stderr).not.toContain(control)
})

test('each result is in the documented format', () => {
  const schema = JSON.parse(readFileSync(`${ROOT}/loadtests/results.schema.json`, 'utf8'))
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema)
  for (const scenario of BASELINE_SCENARIOS) {
    validate(read(scenario))
    expect(validate.errors).toBeNull()
  }
})

test('what k6 sent is what it got answers to, and every answer is in a bucket', () => {
  for (const [scenario, names] of [
    ['call-state-updates', 'updates'],
    ['reporting-endpoints', 'reports'],
  ] as const) {
    const { counters, histograms } = read(scenario).runners[0]!
    for (const phase of ['ramp', 'peak']) {
      const sent = counters[`${names}_sent_${phase}`]!
      expect(sent).toBeGreaterThan(0)
      expect(counters[`${names}_ok_${phase}`]! + counters[`${names}_failed_${phase}`]!).toBe(sent)
      const counted = Object.entries(histograms)
        .filter(([name]) => name.endsWith(`_${phase}`))
        .reduce((sum, [, histogram]) => sum + histogramCount(histogram), 0)
      expect(counted).toBe(sent)
    }
  }
})

test('every update that k6 saw accepted is in the counters of the three instances', () => {
  const { runners, server } = read('call-state-updates')
  const { counters } = runners[0]!
  const ok = counters.updates_ok_ramp! + counters.updates_ok_peak!
  const requests = `${METRICS.httpRequests}{method="POST",route="${ROUTES.demoCallEvent}",status="201"}`
  expect(sumOver(server.api, requests)).toBe(ok)
  expect(sumOver(server.api, `${METRICS.ingestEvents}{outcome="applied"}`)).toBe(ok)
  for (const api of server.api) expect(api.totals[requests]).toBeGreaterThan(0)
})

test('and stored, with every message that k6 saw published', () => {
  for (const [scenario, ok] of [
    ['call-state-updates', 'updates_ok'],
    ['redis-pubsub', 'messages_published'],
  ] as const) {
    const { runners, server, verdict } = read(scenario)
    const { counters } = runners[0]!
    const acknowledged = ['ramp', 'peak', 'cool'].reduce((sum, phase) => sum + (counters[`${ok}_${phase}`] ?? 0), 0)
    expect(server.postgres?.rowsOfRun?.events).toBeGreaterThanOrEqual(acknowledged)
    expect(server.postgres?.rowsOfRun?.calls).toBeGreaterThan(0)
    expect(verdict?.reasons.filter(({ rule }) => rule === 'database-rows')).toEqual([])
    const events = server.postgres?.primary.tables?.find(({ name }) => name === 'call_events')
    expect(events?.inserts).toBeGreaterThan(0)
  }
})

test('every message was due at every subscriber, and is delivered or lost', () => {
  const { counters } = read('redis-pubsub').runners[0]!
  expect(counters.subscribers_connected).toBeGreaterThan(0)
  expect(counters.messages_due).toBeGreaterThan(0)
  expect(counters.messages_delivered! + counters.messages_lost!).toBe(counters.messages_due)
})

test('every server was sampled throughout', () => {
  for (const scenario of BASELINE_SCENARIOS) {
    const { server, environment } = read(scenario)
    expect(server.omitted).toEqual([])
    expect(server.atSeconds.length).toBeGreaterThan(10)
    expect(server.api.map(({ instance }) => instance)).toEqual(['api-1', 'api-2', 'api-3'])
    expect(server.postgres?.primary.statements.length).toBeGreaterThan(0)
    expect(peakOf(server.postgres?.primary.replication?.replicas)).toBe(1)
    expect(server.postgres?.replica?.statements).toBeDefined()
    expect(server.redis?.commands.length).toBeGreaterThan(0)
    expect(environment).toMatchObject({
      machine: { singleThreadScore: { name: SCORE_NAME, perSecond: expect.any(Number) } },
      stack: { apiInstances: 3, apiSettings: { LIVE_TICK_MS: '30' }, replicas: 1, generatorOnSameMachine: true },
    })
    if (process.platform !== 'linux') continue
    // Not which way: a CI runner may have another one.
    expect(environment?.generatorPriority).toMatchObject({
      method: expect.stringMatching(/^(autogroup|nice)$/),
      platform: 5,
    })
    expect(server.processes.map(({ name }) => name).sort()).toEqual(
      ['k6', 'postgres primary', 'postgres replica', 'redis', 'api-1', 'api-2', 'api-3', 'sampler'].sort(),
    )
    for (const { name, memoryBytes } of server.processes) expect(peakOf(memoryBytes), name).toBeGreaterThan(0)
  }
})

test('what the user set is in force, and is said with the results', () => {
  expect(read('redis-pubsub').runners[0]!.settings.subscriberVUs).toBe(3)
  expect(ended.stdout).toMatch(/^ {2}\d+ cores?.*, single-threaded score [\d,]+: 3 API instances, 3 subscriber VUs$/m)
})

test('smoke leaves baselines and document alone, and nothing runs or lies about afterwards', () => {
  expect(here.leftProcesses()).toEqual([])
  expect(here.leftFiles()).toEqual(['results'])
  const files = [...BASELINE_SCENARIOS.map((name) => `${name}.json`), 'report.html']
  expect(readdirSync(results()).sort()).toEqual(files.sort())
  expect(ended.stdout).not.toContain('Wrote')
})

test.each([
  ['SIGINT', 2],
  ['SIGKILL', null],
] as const)('%s in the middle of a scenario leaves no process and no file', async (signal, code) => {
  const here = bench()
  const { child, ended } = here.start('baseline', '--profile', 'smoke', '--scenario', 'call-state-updates')
  try {
    await waitUntil('k6 to run', () => here.leftProcesses().some((command) => /k6 run /.test(command)), {
      timeoutMs: 120_000,
      everyMs: 250,
    })
    child.kill(signal)
    const { code: given, stderr } = await ended
    expect(given).toBe(code)
    if (signal === 'SIGINT') expect(stderr).toContain('stopped before the end')
    await waitUntil('everything to be gone', () => here.leftProcesses().length === 0 && here.leftFiles().length === 0, {
      timeoutMs: 30_000,
    })
  } finally {
    // Should it not have come so far: its guard then stops what it started.
    child.kill('SIGKILL')
    await ended
    here.remove()
  }
})

test('the commands answer --help, and judge agrees with what was judged', async () => {
  const help = await here.run('baseline', '--help')
  expect(help).toMatchObject({ code: 0, stderr: '' })
  const judged = await here.run('judge', ...BASELINE_SCENARIOS.map((name) => `${results()}/${name}.json`))
  expect(judged.code, judged.stdout + judged.stderr).toBe(ended.code)
})

function sumOver(instances: readonly ApiEvidence[], counter: string): number {
  return instances.reduce((sum, { totals }) => sum + (totals[counter] ?? 0), 0)
}
