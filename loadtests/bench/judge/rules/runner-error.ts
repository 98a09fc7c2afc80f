import type { RunnerPod } from '../../../results-format.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'

/** k6's exit codes, as of 1.8 and 2.2. */
const MEANINGS: Readonly<Record<number, string>> = {
  97: 'the cloud test failed',
  100: 'setup took too long',
  101: 'teardown took too long',
  102: 'a generic timeout',
  103: 'stopped over its REST API',
  104: 'a bad configuration',
  105: 'stopped by a signal',
  106: 'its REST API could not start',
  107: 'the script threw an exception',
  108: 'the script aborted the test',
  109: 'a panic inside k6',
  110: 'the script marked the test as failed',
  137: 'killed, most often for want of memory',
  143: 'stopped by a signal',
}

/** Failed thresholds: of one runner's share. The merged result is judged against the targets by itself. */
const THRESHOLDS_FAILED = 99

/** Every runner whose exit code is known ended well, whatever k6-operator says: it calls any end `finished`. */
export const runnerError: Rule = {
  name: 'runner-error',
  check({ result: { runners, distributed } }) {
    const ended: readonly Ended[] = distributed?.runners ?? runners
    const though = distributed?.stage === 'finished' ? ', though k6-operator calls the test run finished' : ''
    return ended.flatMap(({ instance, exitCode = 0, lastWords }) => {
      if (exitCode === 0 || exitCode === THRESHOLDS_FAILED) return []
      const words = lastWords === undefined ? '' : ` (${lastWords})`
      return [
        invalid(
          `runner ${instance} exited with ${exitCode}: ${MEANINGS[exitCode] ?? 'not a code of k6'}${words}${though}`,
        ),
      ]
    })
  },
}

type Ended = Pick<RunnerPod, 'instance' | 'exitCode' | 'lastWords'>
