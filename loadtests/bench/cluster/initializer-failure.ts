import type { Cluster } from './connect.ts'
import { describePod, podsOf } from './runner-pods.ts'
import { lastWords, podLogs } from './runner-results.ts'

/** Why the operator calls a TestRun an error: it does when its initializer failed, which loads the script once. */
export async function initializerFailure(cluster: Cluster, testRun: string): Promise<string> {
  try {
    const [pod] = await podsOf(cluster, testRun, `job-name=${testRun}-initializer`)
    if (pod === undefined) return 'its initializer was never made'
    const { exitCode, state, reason, pod: name = '' } = describePod(pod)
    const said = lastWords(await podLogs(cluster)(name).catch(() => ''))
    if (said !== undefined) return said
    return `its initializer ${exitCode === undefined ? `is ${state}` : `exited with ${exitCode}`}${reason === undefined ? '' : `: ${reason}`}`
  } catch (error) {
    return `its initializer cannot be read: ${(error as Error).message}`
  }
}
