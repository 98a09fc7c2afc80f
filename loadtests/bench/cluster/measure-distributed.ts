/**
 * A TestRun that is there already, followed to its end and put together to a result that is complete but for its
 * verdict:
 *
 *   watch, sample and follow ─▶ collect the runners' results ─▶ put together
 *
 * What a runner left is read from its pod before anybody deletes it. Of a TestRun that is over nothing is sampled any
 * more: kept-result.ts has what was seen of it before.
 */
import { type ProfileName, SCENARIO_NAMES, type ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import { RESULTS_FORMAT } from '../../results-format.ts'
import { SETUP_REQUESTS } from '../../scenarios/lib/result.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { liveLine } from '../run/live-line.ts'
import { scenarioPhases } from '../run/scenario-phases.ts'
import { beginSampling } from '../sample/sampler.ts'
import { clusterEnvironment } from './cluster-environment.ts'
import type { Platform } from './platform.ts'
import { collectResults, podLogs } from './runner-results.ts'
import { shares } from './runners-line.ts'
import { samplePlatform } from './sample-platform.ts'
import { type ShownRun, showRun } from './show-run.ts'
import { testRunAtEnd } from './test-run-at-end.ts'
import type { TestRunObject } from './test-runs.ts'
import { watchTestRun } from './watch-test-run.ts'

export type DistributedOptions = {
  readonly cluster: Cluster
  readonly name: string
  readonly scenario: ScenarioName
  readonly profile: ProfileName
  readonly parallelism: number
  /** Known to be this run's alone; absent for one that may have been used before, whose rows are of all its runs. */
  readonly runId?: string
  readonly apiUrl: string
  /** Absent when the URL leads to none in this cluster. */
  readonly platform: Platform | undefined
  /** As it was when the options were read from it. */
  readonly testRun?: TestRunObject
  /** Makes the TestRun, once sampling has begun; absent for one that somebody else made. */
  readonly apply?: () => Promise<void>
  readonly startWithinSeconds: number
  readonly runWithinSeconds: number
  readonly k6Version: string
  readonly terminal: Terminal
  readonly signal?: AbortSignal
}

const SAMPLE_EVERY_MS = 2_000
/** What moves while runners wait for each other. */
const BEFORE_THE_LOAD: ReadonlySet<string> = new Set([
  SETUP_REQUESTS,
  ...['k6_http_reqs', 'k6_data_sent', 'k6_data_received'],
])

/** @throws {Failure} when it cannot be applied, or there is no such TestRun */
export async function measureDistributed(options: DistributedOptions): Promise<LoadtestResult> {
  const { cluster, name, scenario, profile, parallelism, platform, terminal } = options
  terminal.show(`  … ${scenario.padEnd(19)}  finding what can be sampled`)
  const sampled = await samplePlatform(cluster, platform, name, options.runId)
  try {
    const sampler = await beginSampling(sampled.targets, SAMPLE_EVERY_MS)
    const following = show(options)
    const ended = await (async () => {
      await options.apply?.()
      return watchTestRun({ ...options, onLook: following.look })
    })().then(
      (distributed) => ({ distributed }),
      (error: unknown) => ({ error }),
    )
    const [series, server] = await Promise.all([following.stop(), sampler.end()])
    terminal.clear()
    if ('error' in ended) throw ended.error
    terminal.show(`  … ${scenario.padEnd(19)}  collecting the results of ${parallelism} runners`)
    const { result, pods } = await collectResults(ended.distributed.runners, podLogs(cluster))
    const testRun = await testRunAtEnd(options)
    terminal.clear()
    const { k6Version } = options
    return {
      ...(result ?? withoutResult(options)),
      expectedRunners: parallelism,
      distributed: { ...ended.distributed, ...testRun, runners: pods },
      series,
      server: { ...server, omitted: [...sampled.omitted, ...server.omitted] },
      environment: await clusterEnvironment(cluster, {
        platformPods: sampled.pods.filter(({ kind }) => kind !== 'k6').map(({ pod }) => pod),
        runners: pods,
        server,
        k6Version,
      }),
    }
  } finally {
    sampled.close()
  }

  function withoutResult({ runId, apiUrl }: DistributedOptions): LoadtestResult {
    return {
      format: RESULTS_FORMAT,
      scenario,
      profile,
      runId: runId ?? name,
      target: { url: apiUrl },
      expectedRunners: parallelism,
      runners: [],
    }
  }
}

const show = ({ cluster, scenario, profile, terminal }: DistributedOptions): ShownRun =>
  showRun({
    cluster,
    name: scenario,
    label: scenario.padEnd(19),
    terminal,
    // k6 answers while it waits to be told to begin, and runners ask each other whether all are ready.
    hasBegun: (counters) => Object.keys(counters).some((name) => !BEFORE_THE_LOAD.has(name)),
    line: (beganAt, point, total, each) => {
      const whose = shares(scenario, each, point.windowSeconds)
      return liveLine(scenario, scenarioPhases(scenario, profile), (Date.now() - beganAt) / 1000, point, total, whose)
    },
  })

/** @throws {Failure} when it is none of ours */
export function knownScenario(name: string): ScenarioName {
  const known = SCENARIO_NAMES.find((one) => one === name)
  if (known === undefined) throw new Failure(`the TestRun runs "${name}"; known are ${SCENARIO_NAMES.join(', ')}`)
  return known
}
