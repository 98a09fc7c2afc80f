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
import type { DistributedRun, RunnerPod } from '../../results-format.ts'
import { Failure } from '../lib/failure.ts'
import type { Cluster } from './connect.ts'
import { initializerFailure } from './initializer-failure.ts'
import { readRunnerPods } from './runner-pods.ts'
import { readTestRun } from './test-runs.ts'

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

export type Look = { readonly stage: string; readonly pods: readonly RunnerPod[]; readonly sinceSeconds: number }

const LOOK_EVERY_MS = 1_000
/** The operator looks every 15 s whether its runners have ended. */
const LAST_WORD_WITHIN_MS = 25_000
/** Looks that may fail one after the other: an API server is sometimes restarted. */
const MOST_FAILED_LOOKS = 30

const BEGUN = new Set(['started', 'stopped', 'finished'])

/** @throws {Failure} when the TestRun is not there, or the cluster no longer answers */
export async function watchTestRun(options: WatchOptions): Promise<DistributedRun> {
  const { cluster, name, parallelism, signal } = options
  const began = performance.now()
  const seconds = (from: number) => (performance.now() - from) / 1000
  let startedAt: number | undefined
  let endedAt: number | undefined
  let failed = 0

  for (;;) {
    signal?.throwIfAborted()
    const look = await lookAt(options, seconds(began)).catch((error) => {
      failed += 1
      if (error instanceof Failure || failed >= MOST_FAILED_LOOKS) throw error
      return undefined
    })
    if (look !== undefined) {
      failed = 0
      options.onLook?.(look)
      const { stage, pods } = look
      const run = { testRun: name, namespace: cluster.namespace, stage, runners: pods }
      if (stage === 'error') return { ...run, failure: await initializerFailure(cluster, name) }
      if (BEGUN.has(stage)) startedAt ??= performance.now()
      if (pods.length === parallelism && pods.every(({ state }) => state === 'ended')) endedAt ??= performance.now()
      if (endedAt !== undefined && (stage === 'finished' || performance.now() - endedAt > LAST_WORD_WITHIN_MS))
        return run
      // Its pods may have been deleted since.
      if (stage === 'finished' && endedAt === undefined && seconds(startedAt ?? began) > LAST_WORD_WITHIN_MS / 1000)
        return run
      const allowedSeconds = startedAt === undefined ? options.startWithinSeconds : options.runWithinSeconds
      const afterSeconds = seconds(startedAt ?? began)
      if (endedAt === undefined && afterSeconds > allowedSeconds)
        return { ...run, hung: { afterSeconds, allowedSeconds } }
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
  }
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
