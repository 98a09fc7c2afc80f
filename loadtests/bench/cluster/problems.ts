/** What keeps a TestRun from going on, told while it waits: before its time is over, and before its events are gone. */

import { plural } from '@hopwhistle/platform/document/figures.ts'
import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import type { RunnerPod } from '../../results-format.ts'
import type { Look, Problem } from './look.ts'
import { operatorTrouble } from './operator-says.ts'
import { warningsOf } from './warnings.ts'

const ASK_EVERY_MS = 2_000
/** The operator takes some seconds for each of its stages. */
const PATIENCE_WITH_OPERATOR_SECONDS = 10
const BEFORE_RUNNERS: ReadonlySet<string> = new Set(['new', 'initialization', 'initialized'])
const TROUBLE = /Err|BackOff|Invalid/

/** Whether what the kubelet says of a container is why it waits: one that is just being made may wait for a volume. */
export const isTold = (reason: string | undefined): boolean => reason !== undefined && TROUBLE.test(reason)

/**
 * Adds to each look what is known of those that are waited for.
 *
 * @returns the look with the reasons of runners that have no pod or do not start, and what is to be told of it
 */
export function problemFinder(cluster: Cluster, testRun: string): (look: Look) => Promise<Look> {
  let askedAt = Number.NEGATIVE_INFINITY
  let warnings: Awaited<ReturnType<typeof warningsOf>> | undefined
  let ofOperator: string | undefined
  return async (look) => {
    if (!isWaiting(look)) return look
    if (performance.now() - askedAt >= ASK_EVERY_MS) {
      warnings = await warningsOf(cluster, testRun)
      const isLate = BEFORE_RUNNERS.has(look.stage) && look.sinceSeconds >= PATIENCE_WITH_OPERATOR_SECONDS
      ofOperator = isLate ? await operatorTrouble(cluster, testRun) : undefined
      askedAt = performance.now()
    }
    const { noPod, noStart } = warnings ?? { noPod: new Map(), noStart: new Map() }
    const pods = look.pods.map((pod): RunnerPod => {
      const job = `${testRun}-${pod.instance}`
      const known = { absent: noPod.get(job), waiting: noStart.get(job) }[pod.state as string]
      return known === undefined || isTold(pod.reason) ? pod : { ...pod, reason: known }
    })
    const helpers = (['initializer', 'starter'] as const).flatMap((helper): Problem[] => {
      const job = `${testRun}-${helper}`
      if (helper !== HELPER_OF[look.stage]) return []
      if (noPod.has(job)) return [{ kind: helper, text: `its ${helper} has no pod: ${noPod.get(job)}` }]
      return noStart.has(job) ? [{ kind: helper, text: `its ${helper} does not start: ${noStart.get(job)}` }] : []
    })
    const operator = ofOperator === undefined ? [] : [{ kind: 'operator', text: ofOperator }]
    return { ...look, pods, problems: [...helpers, ...runnerProblems(pods), ...operator] }
  }
}

const HELPER_OF: Readonly<Record<string, string>> = { initialization: 'initializer', started: 'starter' }

const isWaiting = ({ stage, pods }: Look): boolean =>
  stage in HELPER_OF || BEFORE_RUNNERS.has(stage) || pods.some(({ state }) => state in RUNNER_PROBLEMS)

const RUNNER_PROBLEMS: Partial<Record<RunnerPod['state'], string>> = {
  absent: 'has no pod',
  unscheduled: 'was not scheduled',
  waiting: 'does not start',
}

/** One for each way in which runners are not there, for the first of them. */
function runnerProblems(pods: readonly RunnerPod[]): readonly Problem[] {
  return Object.entries(RUNNER_PROBLEMS).flatMap(([state, what]) => {
    const there = pods.filter((pod) => pod.state === state && pod.reason !== undefined)
    const [first, ...others] = there.filter(({ reason = '' }) => state !== 'waiting' || isTrouble(reason))
    if (first === undefined) return []
    const more = others.length === 0 ? '' : ` (and ${plural(others.length, 'runner')} more)`
    return [{ kind: `runners ${state}`, text: `runner ${first.instance} ${what}${more}: ${first.reason}` }]
  })
}

/** A container that is being made is none, but what Kubernetes says of one that cannot be made is a sentence. */
const isTrouble = (reason: string): boolean => isTold(reason) || reason.includes(' ')
