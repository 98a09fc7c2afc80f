import type { RunnerPod } from '../../../results-format.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'

const NEVER: Partial<Record<RunnerPod['state'], string>> = {
  absent: 'has no pod',
  unscheduled: 'was not scheduled: no node takes it',
  waiting: 'did not start',
}

/** Every runner had a pod, a node, and a container that ran. */
export const runnerNeverRan: Rule = {
  name: 'runner-never-ran',
  check({ result: { distributed } }) {
    return (distributed?.runners ?? []).flatMap(({ instance, state, reason }) => {
      const what = NEVER[state]
      if (what === undefined) return []
      return [invalid(`runner ${instance} ${what}${reason === undefined ? '' : ` (${reason})`}`)]
    })
  },
}
