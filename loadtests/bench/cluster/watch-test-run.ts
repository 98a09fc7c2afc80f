/**
 * Watches a TestRun from its creation to its end, whatever that is.
 *
 *   starting ──every runner is told to begin──▶ running ──every runner has ended──▶ over
 *      │                                           │
 *      └────────the operator gives up, or the time is over: given up───────┘
 *
 * starting   the operator checks the script, makes the runners, waits until all of them are there, and tells them
 * running    k6 makes its load; a runner may end early, and the others go on
 * over       the pods are still there, with their logs
 *
 * The operator itself waits for ever for a runner that no node takes, and for runners that were never told to begin.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import type { DistributedRun } from '../../results-format.ts'
import type { Look } from './look.ts'
import { problemFinder } from './problems.ts'
import { readRunnerPods } from './runner-pods.ts'
import { readTestRun } from './test-runs.ts'
import { whyGivenUp, whyHung } from './why-not-on.ts'

export type WatchOptions = {
  readonly cluster: Cluster
  readonly name: string
  readonly parallelism: number
  /** Until every runner was told to begin. */
  readonly startWithinSeconds: number
  /** From then on. */
  readonly runWithinSeconds: number
  readonly onLook?: (look: Look) => void
  readonly signal?: AbortSignal | undefined
}

const LOOK_EVERY_MS = 1_000
/** The operator looks every 15 s whether its runners have ended. */
const LAST_WORD_WITHIN_MS = 25_000
/** Looks that may fail one after the other: an API server is sometimes restarted. */
const MOST_FAILED_LOOKS = 30

const BEGUN = new Set(['started', 'stopped', 'finished'])

/** @throws {Failure} when the TestRun is not there, or the cluster no longer answers */
export async function watchTestRun(options: WatchOptions): Promise<DistributedRun> {
  const { cluster, name, signal } = options
  const began = performance.now()
  const times: Times = { beganAt: began }
  const explain = problemFinder(cluster, name)
  let failed = 0
  for (;;) {
    signal?.throwIfAborted()
    const seen = lookAt(options, (performance.now() - began) / 1000).then(explain)
    const look = await seen.catch((error) => {
      failed += 1
      if (error instanceof Failure || failed >= MOST_FAILED_LOOKS) throw error
      return undefined
    })
    if (look !== undefined) {
      failed = 0
      options.onLook?.(look)
      const end = endOf(look, times, performance.now(), options)
      const { stage, pods: runners } = look
      const run = { testRun: name, namespace: cluster.namespace, stage, runners }
      if (end === 'failed') return { ...run, failure: await whyGivenUp(cluster, name) }
      if (end === 'over') return run
      if (end !== undefined) {
        const because = await whyHung(cluster, run)
        return { ...run, hung: { ...end, ...(because === undefined ? {} : { because }) } }
      }
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
  }
}

/** In milliseconds of the clock that never goes back; filled in as things happen. */
type Times = { readonly beganAt: number; startedAt?: number; endedAt?: number }

/** Whether a look is the last one: the run failed to start, is over, or takes longer than it may. */
function endOf(
  { stage, pods }: Look,
  times: Times,
  now: number,
  { startWithinSeconds, runWithinSeconds }: WatchOptions,
): 'failed' | 'over' | NonNullable<DistributedRun['hung']> | undefined {
  if (stage === 'error') return 'failed'
  if (BEGUN.has(stage)) times.startedAt ??= now
  if (pods.every(({ state }) => state === 'ended')) times.endedAt ??= now
  const { beganAt, startedAt = beganAt, endedAt } = times
  if (endedAt !== undefined) return stage === 'finished' || now - endedAt > LAST_WORD_WITHIN_MS ? 'over' : undefined
  // A pod may have been deleted since.
  if (stage === 'finished') return now - startedAt > LAST_WORD_WITHIN_MS ? 'over' : undefined
  const allowedSeconds = times.startedAt === undefined ? startWithinSeconds : runWithinSeconds
  const afterSeconds = (now - startedAt) / 1000
  return afterSeconds > allowedSeconds ? { afterSeconds, allowedSeconds } : undefined
}

async function lookAt({ cluster, name, parallelism }: WatchOptions, sinceSeconds: number): Promise<Look> {
  const [testRun, pods] = await Promise.all([readTestRun(cluster, name), readRunnerPods(cluster, name, parallelism)])
  if (testRun === undefined) {
    throw new Failure(
      `there is no TestRun "${name}" in namespace "${cluster.namespace}"; if there was, somebody deleted it`,
    )
  }
  return { stage: testRun.status?.stage ?? 'new', pods, sinceSeconds }
}
