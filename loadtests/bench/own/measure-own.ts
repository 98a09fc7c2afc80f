/**
 * The run of a script of somebody else, from its start to a result that is complete but for its verdict:
 *
 *   k6 runs the script through the instrument; this machine is sampled, k6 is followed ─▶ Prometheus is asked ─▶ put together
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import { figure } from '@hopwhistle/platform/document/figures.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import type { Place } from '@hopwhistle/platform/machine/place.ts'
import type { Guard } from '@hopwhistle/platform/stack/guard.ts'
import type { K6 } from '@hopwhistle/platform/tools/find-k6.ts'
import type { SeriesPoint } from '../../results-format.ts'
import { mergeHistograms, percentileMs } from '../../scenarios/lib/histogram.ts'
import { latencyName, type OwnRunner } from '../../scenarios/own/plan.ts'
import { followK6 } from '../collect/follow-k6.ts'
import { readK6 } from '../collect/k6-snapshot.ts'
import { lastWords } from '../collect/last-words.ts'
import { newRunId } from '../run/new-run-id.ts'
import { type K6Run, startK6 } from '../run/start-k6.ts'
import { beginSampling } from '../sample/sampler.ts'
import { OWN_FORMAT, type OwnResult } from './own-result.ts'
import { planOf, wrapperOf } from './plan-run.ts'
import { prometheusAt } from './prometheus.ts'
import type { Targets } from './targets-file.ts'

export type MeasureOwnOptions = {
  readonly name: string
  /** An absolute path. */
  readonly script: string
  readonly targets: Targets
  /** Options of `k6 run`, as `--vus 10`. */
  readonly k6Options: readonly string[]
  /** Reaches the script as `__ENV`. */
  readonly env: Readonly<Record<string, string>>
  readonly k6: K6
  readonly place: Place
  readonly scratchDir: string
  readonly guard: Guard
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

const FOLLOW_EVERY_MS = 2_000
const SAMPLE_EVERY_MS = 1_000
/** What runs around a script, inside k6. */
export const INSTRUMENT = join(CHECKOUT, 'loadtests', 'scenarios', 'own', 'instrument.ts')

/** @throws {Failure} when k6 cannot run the script at all, or Prometheus cannot be asked */
export async function measureOwn(options: MeasureOwnOptions): Promise<OwnResult> {
  const { name, script, targets, k6, place, scratchDir, guard, terminal, signal } = options
  const { prometheus: url, servers = {}, judged } = targets
  const prometheus = url === undefined ? undefined : prometheusAt(url)
  await prometheus?.check(servers)

  const runId = newRunId()
  mkdirSync(scratchDir, { recursive: true, mode: 0o700 })
  const resultFile = join(scratchDir, 'result.json')
  const wrapper = join(scratchDir, 'run.js')
  const plan = planOf(targets, { runId, instance: '1', resultFile })
  writeFileSync(wrapper, wrapperOf(plan, { instrument: INSTRUMENT, script }))
  let running: K6Run | undefined
  const sampler = await beginSampling(
    {
      api: [],
      processes: [
        { name: 'k6', kind: 'k6', pid: () => running?.pid, withDescendants: true },
        { name: 'sampler', kind: 'sampler', pid: process.pid, withDescendants: false },
      ],
    },
    SAMPLE_EVERY_MS,
  )
  const logFile = join(scratchDir, 'k6.log')
  const startedAt = Date.now()
  try {
    running = await startK6({
      command: k6.command,
      name,
      script: wrapper,
      args: options.k6Options,
      env: { ...options.env, GOGC: '400' },
      logFile,
      guard,
      signal,
    })
  } catch (error) {
    await sampler.end()
    throw error
  }
  const { address } = running
  terminal.show(`  … ${name}  k6 is starting`)
  const follow = followK6({
    runners: [() => readK6(address)],
    everyMs: FOLLOW_EVERY_MS,
    onPoint: (point) => terminal.show(`  … ${name}  ${progress(point, startedAt)}`),
  })
  const { end, series, machine } = await running
    .ended()
    .then(
      async (end) => ({ end, series: await follow(), machine: await sampler.end() }),
      async (error) => {
        await Promise.allSettled([follow(), sampler.end()])
        throw error
      },
    )
    .finally(() => terminal.clear())
  const log = readFileSync(logFile, 'utf8')
  const runners = existsSync(resultFile) ? [{ ...readRunner(resultFile), ...endOf(log), exitCode: end.exitCode }] : []
  const [from, to] = [Date.parse(runners[0]?.startedAt ?? '') || startedAt, Date.now()]
  return {
    format: OWN_FORMAT,
    name,
    script: basename(script),
    runId,
    startedAt: new Date(from).toISOString(),
    load: loadOf(options),
    expectedRunners: 1,
    targets: targets.targets,
    ...(judged === undefined ? {} : { judged }),
    runners,
    series,
    machine,
    servers: (await prometheus?.figures(servers, from, to)) ?? [],
    environment: { ...place, k6: k6.version },
  }
}

/** A checksum of what makes it another load. */
export function loadOf({
  script,
  targets,
  k6Options,
}: Pick<MeasureOwnOptions, 'script' | 'targets' | 'k6Options'>): string {
  const { targets: judged, judged: part } = targets
  const load = [readFileSync(script, 'utf8'), judged, part, k6Options]
  return createHash('sha256').update(JSON.stringify(load)).digest('hex').slice(0, 8)
}

const readRunner = (file: string): OwnRunner => JSON.parse(readFileSync(file, 'utf8')) as OwnRunner

/** What k6 complained about. That thresholds were missed is the verdict's business. */
export function endOf(log: string): Pick<OwnRunner, 'errors' | 'lastWords'> {
  const errors = log
    .split('\n')
    .filter((line) => /level=error/.test(line) && !line.includes('have been crossed')).length
  const words = errors === 0 ? undefined : lastWords(log)
  return { errors, ...(words === undefined ? {} : { lastWords: words }) }
}

/** @param startedAt in Unix milliseconds */
export function progress({ windowSeconds, counters, histograms }: SeriesPoint, startedAt: number): string {
  const seconds = Math.round((Date.now() - startedAt) / 1000)
  const rate = (name: string) => (counters[`k6_${name}`] ?? 0) / windowSeconds
  const all = Object.entries(histograms).flatMap(([name, one]) => (name.startsWith(`${latencyName(0)}_`) ? [one] : []))
  const p95 = percentileMs(mergeHistograms(all), 95)
  return [
    `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`,
    `${figure(rate('http_reqs'))} requests/s`,
    `${figure(rate('iterations'))} iterations/s`,
    p95 === undefined ? '' : `p95 ${figure(p95)} ms`,
  ].join('  ')
}
