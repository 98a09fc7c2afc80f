/**
 * One scenario against one target, from the warm-up to a result that is complete but for its verdict:
 *
 *   warm up; servers yield to k6 ─▶ settle ─▶ k6 runs; servers are sampled, k6 is followed ─▶ put together
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProfileName, rateOf, type ScenarioName, targetsOf } from '@hopwhistle/contract/scenarios.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import type { Guard } from '@hopwhistle/platform/stack/guard.ts'
import { settlePostgres } from '@hopwhistle/platform/stack/settle-postgres.ts'
import type { K6 } from '@hopwhistle/platform/tools/find-k6.ts'
import { remoteWrite } from '../../kubernetes/remote-write.ts'
import type { PhaseSpan, RunnerResult, SeriesPoint } from '../../results-format.ts'
import { secondsRun } from '../../scenarios/lib/complete-run.ts'
import { peakSecondsOf } from '../../scenarios/lib/phases.ts'
import { followK6 } from '../collect/follow-k6.ts'
import { type K6Snapshot, readK6 } from '../collect/k6-snapshot.ts'
import { lastWords } from '../collect/last-words.ts'
import { breaksAt, hopelessTarget, rateWindows } from '../evidence/broken-targets.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { parseResult } from '../evidence/parse-result.ts'
import { giveRightOfWay, type RightOfWay } from '../priority/right-of-way.ts'
import type { Environment } from '../sample/environment.ts'
import { beginSampling } from '../sample/sampler.ts'
import { crashedResult } from './crashed-result.ts'
import { liveLine } from './live-line.ts'
import { newRunId } from './new-run-id.ts'
import { scenarioPhases } from './scenario-phases.ts'
import { garbageCollection, type K6Run, scenarioFile, startK6 } from './start-k6.ts'
import type { Target } from './target.ts'
import { warmUp } from './warm-up.ts'
import { writeBackFiles } from './write-back.ts'

export type MeasureOptions = {
  readonly scenario: ScenarioName
  readonly profile: ProfileName
  readonly target: Target
  readonly k6: K6
  readonly environment: Environment
  /** For k6's own output and raw result. */
  readonly scratchDir: string
  /** Settings of the scenario that differ from the profile's: RATE, PEAK_SECONDS, … */
  readonly overrides?: Readonly<Record<string, string>>
  /** A short run between others, on servers that are warm: sampled more often. */
  readonly isStep?: boolean
  /** Where k6 is to send its metrics, if it is: see remote-write.ts. */
  readonly k6Environment?: NodeJS.ProcessEnv
  /** How long after its load is to be over a k6 that still runs is stopped. */
  readonly overdueAfterMs?: number
  readonly guard: Guard
  readonly terminal: Terminal
  readonly signal?: AbortSignal
}

const WARM_UP_MS = 3_000
const FOLLOW_EVERY_MS = 2_000
/** Costs 1.5 % of a core with three instances and two Postgres servers; every second, 3 %. */
const SAMPLE_EVERY_MS = 2_000

/** After its load k6 lets requests end (30 s), has live messages arrive, and writes its summary (2 minutes at most). */
const OVERDUE_AFTER_MS = 240_000

/** @throws {Failure} when k6 refuses to make this load at any rate. One that crashes leaves a result without counts */
export async function measureScenario(options: MeasureOptions): Promise<LoadtestResult> {
  const { processes = [] } = options.target.sampled
  const servers = processes.flatMap(({ pid }) => (typeof pid === 'number' ? [pid] : []))
  const strictly = options.profile !== 'smoke'
  const rightOfWay = servers.length === 0 ? undefined : giveRightOfWay(servers, { strictly })
  try {
    return await measure(options, rightOfWay)
  } finally {
    await rightOfWay?.end()
  }
}

async function measure(options: MeasureOptions, rightOfWay: RightOfWay | undefined): Promise<LoadtestResult> {
  const { scenario, profile, target, k6, scratchDir, guard, terminal, signal, isStep = false } = options
  const { sampled } = target
  await terminal.during(`${scenario.padEnd(19)}  warming up`, async () => {
    if (!isStep && target.onThisMachine) await writeBackFiles()
    if (!isStep) await warmUp(target, profile === 'smoke' ? 1_000 : WARM_UP_MS, signal)
    if (sampled.postgres !== undefined) await settlePostgres(sampled.postgres, signal)
    await rightOfWay?.settled()
  })

  const runId = newRunId()
  const resultsDir = join(scratchDir, runId)
  mkdirSync(resultsDir, { recursive: true, mode: 0o700 })
  const sent = remoteWrite(options.k6Environment ?? {}, { runId, scenario, runner: 1 })
  // Sampled from before k6 is there, for it goes first from then on: its own process is looked up at each sample.
  let running: K6Run | undefined
  const sampler = await beginSampling(
    {
      ...sampled,
      runId,
      processes: [
        { name: 'k6', kind: 'k6', pid: () => running?.pid, withDescendants: true },
        ...(sampled.processes ?? []),
        { name: 'sampler', kind: 'sampler', pid: process.pid, withDescendants: false },
      ],
    },
    profile === 'smoke' || isStep ? 1_000 : SAMPLE_EVERY_MS,
  )
  const env = {
    ...sent.env,
    ...options.overrides,
    API_URL: target.apiUrl,
    WS_URL: target.apiUrl.replace(/^http/, 'ws'),
    API_KEY: target.apiKey,
    TENANT_ID: target.tenantId,
    PROFILE: profile,
    RUN_ID: runId,
    RESULTS_DIR: resultsDir,
    K6_VERSION: k6.version,
  }
  const logFile = join(resultsDir, 'k6.log')
  try {
    running = await startK6({
      command: k6.command,
      name: scenario,
      script: scenarioFile(scenario),
      args: sent.args,
      env: { ...garbageCollection(scenario), ...env },
      logFile,
      inBatchClass: rightOfWay !== undefined,
      guard,
      signal,
    })
  } catch (error) {
    await sampler.end()
    throw error
  }
  const { address } = running
  const generatorPriority = await rightOfWay?.to(running.pid)
  const phases = scenarioPhases(scenario, profile, options.overrides)
  let loadBeganAt: number | undefined
  terminal.show(liveLine(scenario, phases, 0))
  const points: SeriesPoint[] = []
  const ending = new AbortController()
  let because: string | undefined
  const follow = followK6({
    runners: [() => readK6(address)],
    everyMs: FOLLOW_EVERY_MS,
    onPoint: (point, total) => {
      // k6 answers before its load begins; its first requests tell that it did.
      if (Object.keys(point.counters).length > 0) loadBeganAt ??= Date.parse(point.at) - point.windowSeconds * 1000
      const sinceStart = loadBeganAt === undefined ? 0 : (Date.now() - loadBeganAt) / 1000
      terminal.show(liveLine(scenario, phases, sinceStart, point, total))
      points.push(point)
      because ??= whyEnd(options, phases, points, total)
      if (because !== undefined) ending.abort()
    },
  })
  const startedAt = Date.now()
  const { overdueAfterMs = OVERDUE_AFTER_MS } = options
  const overdue = AbortSignal.timeout(1000 * (phases.at(-1)?.toSeconds ?? 0) + overdueAfterMs)
  const { end, endedAt, series, server } = await running
    .ended(AbortSignal.any([overdue, ending.signal]))
    .then(
      async (end) => ({ end, endedAt: Date.now(), series: await follow(), server: await sampler.end() }),
      async (error) => {
        await Promise.allSettled([follow(), sampler.end()])
        throw error
      },
    )
    .finally(() => terminal.clear())
  const { exitCode, signal: endedBy } = end
  const words = lastWords(readFileSync(logFile, 'utf8'))
  const raw =
    readResult(join(resultsDir, `${scenario}.json`), scenario) ??
    crashedResult(scenario, env, {
      startedAt: loadBeganAt ?? startedAt,
      endedAt,
      phases,
      crash: {
        ...(endedBy === undefined ? {} : { signal: endedBy }),
        ...(overdue.aborted ? { overdueSeconds: overdueAfterMs / 1000 } : {}),
        ...(words === undefined ? {} : { lastWords: words }),
      },
    })
  return {
    ...raw,
    runners: raw.runners.map((runner) => ({ ...runner, exitCode })),
    ...(because === undefined || raw.runners[0]?.crash !== undefined
      ? {}
      : { abandoned: { afterSeconds: secondsRun(raw.runners[0] as RunnerResult), because } }),
    series,
    server,
    environment: { ...options.environment, ...(generatorPriority === undefined ? {} : { generatorPriority }) },
  }
}

/** Why there is no point in going on: what a breakpoint looks for was found, or a target of a soak is lost. */
function whyEnd(
  { scenario, profile, overrides = {} }: MeasureOptions,
  phases: readonly PhaseSpan[],
  points: readonly SeriesPoint[],
  total: K6Snapshot,
): string | undefined {
  if (profile === 'breakpoint') {
    const windows = rateWindows(scenario, points)
    return windows[breaksAt(windows)]?.broken.join(', ')
  }
  if (profile !== 'soak') return undefined
  const subscribers = targetsOf(scenario).messages?.subscribers ?? 0
  const rate = Number(overrides.RATE ?? overrides.MESSAGES_PER_SECOND ?? rateOf(scenario))
  const peak = { seconds: peakSecondsOf(phases), subscribers, times: rate / rateOf(scenario) }
  return hopelessTarget(scenario, peak, total)
}

/** @returns undefined when k6 left none */
function readResult(file: string, scenario: ScenarioName): LoadtestResult | undefined {
  if (!existsSync(file)) return undefined
  try {
    return parseResult(readFileSync(file, 'utf8'))
  } catch (error) {
    // It ended while it wrote.
    if (error instanceof SyntaxError) return undefined
    throw new Failure(`what k6 wrote is not a result of ${scenario}: ${(error as Error).message}`)
  }
}
