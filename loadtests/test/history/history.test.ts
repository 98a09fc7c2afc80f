import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Program, program } from '@hopwhistle/platform/test-support/program.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { scenarioBaselineOf } from '../../bench/document/baseline.ts'
import type { Places } from '../../bench/document/paths.ts'
import { changeText } from '../../bench/history/change-text.ts'
import { changesOf } from '../../bench/history/changes.ts'
import { comparableRuns } from '../../bench/history/comparable.ts'
import { fingerprintOf } from '../../bench/history/fingerprint.ts'
import { addRuns, readHistories } from '../../bench/history/history-files.ts'
import { type RunRecord, recordOf } from '../../bench/history/run-record.ts'
import { writeHistory } from '../../bench/history/write-history.ts'
import { judge } from '../../bench/judge/judge.ts'
import type { Environment } from '../../bench/sample/environment.ts'
import { ENVIRONMENT, type ResultOptions, resultWith, withCounters } from '../fixtures/result-with.ts'

// Some start the command line.
vi.setConfig({ testTimeout: 120_000 })

const folder = mkdtempSync(join(tmpdir(), 'history-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const DAY_MS = 86_400_000
const commitOf = (n: number) => n.toString(16).padStart(40, 'c')

/** The run of a day, judged; its latencies are multiplied by `slowness`. */
function runOf(
  day: number,
  { commit = commitOf(day), ...options }: ResultOptions & { commit?: string } = {},
): RunRecord {
  const environment = { ...(options.environment ?? ENVIRONMENT), source: { commit, dirty: false } }
  const result = resultWith({ ...options, environment })
  const moved = {
    ...result,
    runId: `run-${day}`,
    runners: result.runners.map((runner) => ({
      ...runner,
      startedAt: new Date(Date.parse(runner.startedAt) + day * DAY_MS).toISOString(),
      endedAt: new Date(Date.parse(runner.endedAt) + day * DAY_MS).toISOString(),
    })),
  }
  return recordOf(result.scenario, scenarioBaselineOf({ ...moved, verdict: judge(moved) }))
}

/** 30 days; on day 18 updates become a fifth slower. */
const thirtyDays = Array.from({ length: 30 }, (_, day) =>
  runOf(day, { slowness: (day < 18 ? 1 : 1.2) * (1 + ((day * 7) % 5) / 50) }),
)

describe('a run', () => {
  test('is kept as one line, with its figures, commit, environment and fingerprint', async () => {
    const at = join(folder, 'one')
    await addRuns(at, [runOf(0)])
    const [line, end] = readFileSync(join(at, 'fixture-2-cores.jsonl'), 'utf8').split('\n')
    expect(end).toBe('')
    expect(JSON.parse(line!)).toMatchObject({
      scenario: 'call-state-updates',
      runId: 'run-0',
      outcome: 'met',
      fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
      environment: { source: { commit: commitOf(0) } },
      figures: { rate: 505, success: 100, 'update_latency.p95': expect.any(Number), 'cpu.api': expect.any(Number) },
    })
  })

  test('that is invalid is kept with its reasons and without figures, and compared with nothing', () => {
    const invalid = runOf(1, { runner: withCounters({ k6_dropped_iterations: 3 }) })
    expect(invalid).toMatchObject({ outcome: 'invalid', figures: {} })
    expect(invalid.reasons?.join()).toContain('k6 dropped 3 iterations')
    expect(comparableRuns([invalid])).toEqual([])
  })

  test('is not kept twice, and is put where its time belongs', async () => {
    const at = join(folder, 'twice')
    expect(await addRuns(at, [runOf(2), runOf(0)])).toHaveLength(2)
    expect(await addRuns(at, [runOf(1), runOf(2)])).toHaveLength(1)
    const [history] = await readHistories(at)
    expect(history!.runs.map(({ runId }) => runId)).toEqual(['run-0', 'run-1', 'run-2'])
  })

  test('in a file of another format is refused, with its place', async () => {
    const at = join(folder, 'other')
    await addRuns(at, [runOf(0)])
    writeFileSync(join(at, 'fixture-2-cores.jsonl'), '{"format":"hopwhistle.run/0"}\n')
    await expect(readHistories(at)).rejects.toThrow(/fixture-2-cores\.jsonl:1 has the format "hopwhistle\.run\/0"/)
  })
})

describe('like is compared with like', () => {
  const of = (environment: Environment, profile: 'full' | 'quick' = 'quick') =>
    recordOf('call-state-updates', scenarioBaselineOf(resultWith({ environment, profile }))).fingerprint

  test.each<[string, Partial<Environment>]>([
    ['another processor', { machine: { ...ENVIRONMENT.machine, cpuModel: 'Another CPU' } }],
    ['fewer cores by a quota', { machine: { ...ENVIRONMENT.machine, quotaCores: 1 } }],
    ['more instances', { stack: { ...ENVIRONMENT.stack, apiInstances: 4 } }],
    ['another setting', { stack: { ...ENVIRONMENT.stack, apiSettings: { LIVE_TICK_MS: '30' } } }],
    ['another k6', { versions: { ...ENVIRONMENT.versions, k6: '1.9.0' } }],
    ['a neighbour', { neighbours: ['ffmpeg'] }],
    ['a priority of k6', { generatorPriority: { method: 'nice', platform: 5, k6: 0 } }],
  ])('%s is not comparable', (_, other) => {
    expect(of({ ...ENVIRONMENT, ...other })).not.toBe(of(ENVIRONMENT))
  })

  test('nor is another profile', () => {
    expect(of(ENVIRONMENT, 'full')).not.toBe(of(ENVIRONMENT))
  })

  test('another commit, version of a server or kernel is: it may be what changed something', () => {
    const other = {
      ...ENVIRONMENT,
      source: { commit: commitOf(9), dirty: true },
      versions: { ...ENVIRONMENT.versions, node: '26.0.0' },
      machine: { ...ENVIRONMENT.machine, kernel: '6.2.0', memoryBytes: ENVIRONMENT.machine.memoryBytes + 5e6 },
    }
    expect(of(other)).toBe(of(ENVIRONMENT))
  })

  test('runs of different fingerprints make no change together', () => {
    const slow = { ...ENVIRONMENT, machine: { ...ENVIRONMENT.machine, cpuModel: 'A slow CPU' } }
    const runs = Array.from({ length: 30 }, (_, day) =>
      runOf(day, day < 15 ? {} : { slowness: 1.5, environment: slow }),
    )
    const groups = comparableRuns(runs)
    expect(groups.map((group) => group.runs.length)).toEqual([15, 15])
    expect(groups.flatMap(changesOf)).toEqual([])
  })
})

describe('a change', () => {
  const [group] = comparableRuns(thirtyDays)
  const p95 = changesOf(group!).find(({ metric }) => metric === 'update_latency.p95')!

  test('has the levels before and after, p, and the commits between', () => {
    expect(p95).toMatchObject({ index: 18, verdict: 'worse', byOtava: true, isNew: false })
    expect(p95.after / p95.before).toBeCloseTo(1.2, 1)
    expect(changeText(p95)).toMatch(
      new RegExp(
        `^Call state updates, update latency p95: \\d+ ms → \\d+ ms \\(\\+\\d+ %, worse\\); p 0\\.\\d{4}; ` +
          `commits ${commitOf(17).slice(0, 12)}\\.\\.${commitOf(18).slice(0, 12)}; between 7 December 2026 and 8 December 2026`,
      ),
    )
  })

  test('is said of every percentile, and of nothing that stayed as it was', () => {
    const metrics = changesOf(group!).map(({ metric }) => metric)
    expect(metrics.toSorted()).toEqual(['update_latency.p50', 'update_latency.p95', 'update_latency.p99'])
  })

  test('names what else is not the same, and does not blame a commit that is on both sides', () => {
    const node26 = { ...ENVIRONMENT, versions: { ...ENVIRONMENT.versions, node: '26.0.0' } }
    const runs = thirtyDays.map((run, day) => ({
      ...run,
      environment: { ...(day < 18 ? ENVIRONMENT : node26), source: { commit: commitOf(1), dirty: false } },
      figures: { ...run.figures, machine_score: day < 18 ? 1000 : 800 },
    }))
    const change = changesOf(comparableRuns(runs)[0]!).find(({ metric }) => metric === 'update_latency.p95')!
    const text = changeText(change)
    expect(text).toContain('on both sides')
    expect(text).toContain("changed as well: node 24.21.0 → 26.0.0, the machine's score 1000 → 800")
  })

  test('is new with the run that first shows it', () => {
    const firstSaid = Array.from({ length: 12 }, (_, i) => 19 + i).find((days) =>
      changesOf(comparableRuns(thirtyDays.slice(0, days))[0]!).some(({ metric }) => metric === 'update_latency.p95'),
    )!
    const newIn = (days: number) =>
      changesOf(comparableRuns(thirtyDays.slice(0, days))[0]!).find(({ metric }) => metric === 'update_latency.p95')!
        .isNew
    expect(newIn(firstSaid)).toBe(true)
    expect(newIn(firstSaid + 1)).toBe(false)
  })
})

test('the document has a chart with a mark at the change, and the same history gives the same bytes', async () => {
  const at: Places = {
    baselines: folder,
    document: join(folder, 'performance-baselines.md'),
    history: join(folder, 'thirty'),
    historyDocument: join(folder, 'docs', 'history.md'),
    precisionDocument: join(folder, 'docs', 'history-precision.md'),
    charts: join(folder, 'docs', 'charts'),
  }
  await addRuns(at.history, thirtyDays)
  await writeHistory(at)
  const text = readFileSync(at.historyDocument, 'utf8')
  expect(text).toContain('30 comparable runs, 20 November 2026 to 19 December 2026.')
  expect(text).toMatch(/\| update latency p95 +\| \d+ ms → \d+ ms \(\+\d+ %, worse\) \|/)
  const [chart] = readdirSync(at.charts)
  expect(text).toContain(`(charts/${chart})`)
  const svg = readFileSync(join(at.charts, chart!), 'utf8')
  expect(svg).toMatch(/<desc>profile quick · 30 runs, .*update latency p95 \d+ ms → /)
  expect(svg.match(/stroke-dasharray/g)).toHaveLength(3)
  expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  await writeHistory(at)
  expect(readFileSync(join(at.charts, chart!), 'utf8')).toBe(svg)
})

describe('bench history', () => {
  let here: Program
  beforeAll(() => {
    here = program(new URL('../../bench/main.ts', import.meta.url))
  })
  afterAll(() => here.remove())
  const history = (...args: string[]) => here.run('history', '--folder', join(here.tempDir, 'kept'), ...args)

  test('adds the runs of another folder, and says what changed', async () => {
    expect(await history()).toMatchObject({ code: 2, stderr: expect.stringContaining('no run is kept yet') })
    const other = join(here.tempDir, 'other')
    await addRuns(other, thirtyDays)
    const added = await history('--add', other)
    expect(added).toMatchObject({ code: 0, stderr: 'Added 30 runs of 30.\n' })
    expect(added.stdout).toMatch(/update latency p95 .*[▁-█]{30}.*worse/)
    expect(added.stdout).toContain(`commits ${commitOf(17).slice(0, 12)}..${commitOf(18).slice(0, 12)}`)
    const markdown = await history('--add', other, '--markdown')
    expect(markdown).toMatchObject({ code: 0, stderr: 'Added 0 runs of 30.\n' })
    expect(markdown.stdout).toMatch(/^## What changed\n\nThe newest runs show no new change/)
    expect(await history('--environment', 'nowhere')).toMatchObject({
      code: 2,
      stderr: 'no run of "nowhere" is kept; there are: fixture-2-cores\n',
    })
  })
})

test('the history that is committed can be read, and each fingerprint is the one of today', async () => {
  const histories = await readHistories(new URL('../../baselines/history', import.meta.url).pathname)
  const runs = histories.flatMap((history) => history.runs)
  expect(runs.length).toBeGreaterThan(0)
  for (const run of runs) expect(run.fingerprint).toBe(fingerprintOf(run))
})
