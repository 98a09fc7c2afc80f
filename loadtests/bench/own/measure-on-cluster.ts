/**
 * The run of a script of somebody else by k6-operator, from its TestRun to a result that is complete but for its verdict:
 *
 *   watch, sample the runners and follow ─▶ collect their results ─▶ Prometheus is asked ─▶ put together
 *
 * Unlike those of our scenarios, its runners do not wait for each other: they begin as the operator's starter gets to them.
 */
import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import type { DistributedRun } from '../../results-format.ts'
import { fromLogLines } from '../../scenarios/lib/result-lines.ts'
import type { OwnRunner } from '../../scenarios/own/plan.ts'
import { clusterEnvironment } from '../cluster/cluster-environment.ts'
import { type LogReader, podLogs } from '../cluster/runner-results.ts'
import { samplePlatform } from '../cluster/sample-platform.ts'
import { showRun } from '../cluster/show-run.ts'
import { testRunAtEnd } from '../cluster/test-run-at-end.ts'
import type { TestRunObject } from '../cluster/test-runs.ts'
import { watchTestRun } from '../cluster/watch-test-run.ts'
import { lastWords } from '../collect/last-words.ts'
import { beginSampling } from '../sample/sampler.ts'
import { endOf, progress } from './measure-own.ts'
import { OWN_FORMAT, type OwnResult } from './own-result.ts'
import type { OwnRun } from './own-run.ts'
import { prometheusAt } from './prometheus.ts'

export type OwnOnClusterOptions = {
  readonly cluster: Cluster
  /** Of the TestRun. */
  readonly name: string
  /** One that somebody else made, as it was read before. */
  readonly testRun?: TestRunObject
  readonly run: OwnRun
  readonly parallelism: number
  /** Makes the TestRun, once sampling has begun; absent for one that somebody else made. */
  readonly apply?: () => Promise<void>
  readonly prometheus: string | undefined
  readonly startWithinSeconds: number
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

const SAMPLE_EVERY_MS = 2_000

/** @throws {Failure} when it cannot be applied, there is no such TestRun, or Prometheus cannot be asked */
export async function measureOwnOnCluster(options: OwnOnClusterOptions): Promise<OwnResult> {
  const { cluster, name, run, parallelism, terminal } = options
  const { withinSeconds, servers = {}, format: _, k6, ...known } = run
  const prometheus = options.prometheus === undefined ? undefined : prometheusAt(options.prometheus)
  await prometheus?.check(servers)
  const began = Date.now()
  // Of its runners alone: what they load is known to nobody but the script.
  const sampled = await samplePlatform(cluster, undefined, name, undefined)
  try {
    const sampler = await beginSampling(sampled.targets, SAMPLE_EVERY_MS)
    const following = showRun({
      cluster,
      name: run.name,
      label: run.name,
      terminal,
      hasBegun: (counters) => Object.keys(counters).length > 0,
      line: (beganAt, point) => `  … ${run.name}  ${progress(point, beganAt)}`,
    })
    const watched = async () => {
      await options.apply?.()
      return watchTestRun({ ...options, runWithinSeconds: withinSeconds, onLook: following.look })
    }
    const ended = await watched().then(
      (distributed) => ({ distributed }),
      (error: unknown) => ({ error }),
    )
    const [series, machine] = await Promise.all([following.stop(), sampler.end()])
    terminal.clear()
    if ('error' in ended) throw ended.error
    const { runners, pods } = await collectOwn(ended.distributed.runners, podLogs(cluster))
    const testRun = await testRunAtEnd(options)
    const starts = runners.map(({ startedAt }) => Date.parse(startedAt))
    const from = starts.length === 0 ? began : Math.min(...starts)
    const environment = await clusterEnvironment(cluster, {
      platformPods: [],
      runners: pods,
      server: machine,
      k6Version: k6,
    })
    return {
      format: OWN_FORMAT,
      ...known,
      startedAt: new Date(from).toISOString(),
      expectedRunners: parallelism,
      runners,
      distributed: { ...ended.distributed, ...testRun, runners: pods },
      series,
      machine,
      servers: (await prometheus?.figures(servers, from, Date.now())) ?? [],
      environment: { name: environment.name, machine: environment.machine, source: environment.source, k6 },
    }
  } finally {
    sampled.close()
  }
}

/** What each runner printed at its end, in the order of the pods; those that printed none are left out. */
export async function collectOwn(pods: DistributedRun['runners'], readLog: LogReader) {
  const read = await Promise.all(
    pods.map(async (pod) => {
      const log = pod.pod === undefined ? '' : await readLog(pod.pod).catch(() => '')
      const words = pod.state === 'ended' && pod.exitCode !== 0 ? lastWords(log) : undefined
      const result = fromLogLines(log)
      const runner: OwnRunner | undefined =
        result === undefined
          ? undefined
          : {
              ...(JSON.parse(result) as OwnRunner),
              ...endOf(log),
              instance: pod.instance,
              ...(pod.exitCode === undefined ? {} : { exitCode: pod.exitCode }),
            }
      return { pod: words === undefined ? pod : { ...pod, lastWords: words }, runner }
    }),
  )
  return { pods: read.map(({ pod }) => pod), runners: read.flatMap(({ runner }) => runner ?? []) }
}
