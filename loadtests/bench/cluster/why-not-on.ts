/**
 * Why a TestRun does not go on, from what there is to see of whose turn it is: the initializer checks the script, the
 * operator makes the runners, the starter tells them to begin.
 */

import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import type { DistributedRun, RunnerPod } from '../../results-format.ts'
import { lastWords } from '../collect/last-words.ts'
import { operatorSays, operatorTrouble } from './operator-says.ts'
import { isTold } from './problems.ts'
import { describePod, podsOf } from './runner-pods.ts'
import { podLogs } from './runner-results.ts'
import { warningsOf } from './warnings.ts'

type Helper = 'initializer' | 'starter'
type Seen = Omit<RunnerPod, 'instance'> & { readonly log: string }

/** Of a TestRun that the operator calls an error. @throws never */
export async function whyGivenUp(cluster: Cluster, testRun: string): Promise<string> {
  try {
    const initializer = await seenOf(cluster, testRun, 'initializer')
    const said = lastWords(initializer.log) ?? (await troubleOf(cluster, testRun, 'initializer', initializer))
    return said ?? `its initializer found nothing wrong with the script, but ${await operatorSays(cluster, testRun)}`
  } catch (error) {
    return `its initializer cannot be read: ${(error as Error).message}`
  }
}

/**
 * Of a TestRun that stays in its stage for too long.
 *
 * @returns undefined when the runners are to blame, of which the result tells by itself
 * @throws never
 */
export async function whyHung(
  cluster: Cluster,
  { testRun, stage, runners }: Pick<DistributedRun, 'testRun' | 'stage' | 'runners'>,
): Promise<string | undefined> {
  const waitsFor = async (helper: Helper) => {
    const seen = await seenOf(cluster, testRun, helper).catch(() => undefined)
    return seen && troubleOf(cluster, testRun, helper, seen)
  }
  if (stage === 'started') return waitsFor('starter')
  const missing = stage === 'created' ? runners.filter(({ state }) => state !== 'running') : []
  if (missing.length > 0) {
    const isUnexplained = missing.every(({ state, reason }) => state === 'absent' && reason === undefined)
    return isUnexplained ? operatorTrouble(cluster, testRun) : undefined
  }
  const initializer = stage === 'initialization' ? await waitsFor('initializer') : undefined
  return initializer ?? operatorSays(cluster, testRun)
}

/** @returns undefined when it did its part */
async function troubleOf(
  cluster: Cluster,
  testRun: string,
  helper: Helper,
  { state, exitCode, reason }: Seen,
): Promise<string | undefined> {
  if (exitCode === 0) return undefined
  const job = `${testRun}-${helper}`
  if (state === 'absent') {
    // Without a pod it has a Job, of which the operator knows nothing more, or none, and then the operator says why.
    const refused = (await warningsOf(cluster, testRun)).noPod.get(job)
    return `its ${helper} has no pod: ${refused ?? `see the events of its Job; ${await operatorSays(cluster, testRun)}`}`
  }
  const event = state === 'waiting' ? (await warningsOf(cluster, testRun)).noStart.get(job) : undefined
  if (event !== undefined && !isTold(reason)) return `its ${helper} did not start (${event})`
  const what = state === 'ended' ? `exited${exitCode === undefined ? '' : ` with ${exitCode}`}` : STATES[state]
  return `its ${helper} ${what}${reason === undefined ? '' : ` (${reason})`}`
}

const STATES = { unscheduled: 'was not scheduled', waiting: 'did not start', running: 'still runs' } as const

async function seenOf(cluster: Cluster, testRun: string, helper: Helper): Promise<Seen> {
  const [pod] = await podsOf(cluster, testRun, `job-name=${testRun}-${helper}`)
  if (pod === undefined) return { state: 'absent', log: '' }
  const { name = '' } = pod.metadata ?? {}
  const container = pod.spec?.containers[0]?.name
  return { ...describePod(pod), log: await podLogs(cluster, container)(name).catch(() => '') }
}
