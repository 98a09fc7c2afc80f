import { invalid, type Rule } from '../evidence.ts'
import { list, number, plural } from '../format.ts'

/** What a stage that does not end is most often for want of. */
const HINTS: Readonly<Record<string, string>> = {
  new: '; k6-operator did not look at it: is it running?',
  initialized: '; k6-operator could not make its runners: its log says why',
}

/** The test run came to its end in time. */
export const hungTestRun: Rule = {
  name: 'hung-test-run',
  check({ result: { distributed } }) {
    if (distributed?.hung === undefined) return []
    const { stage, hung, runners } = distributed
    const open = runners.filter(({ state }) => state !== 'ended').map(({ instance }) => instance)
    const which = open.length === 0 ? '' : `; not over: ${plural(open.length, 'runner')} (${list(open)})`
    return [
      invalid(
        `the test run was still "${stage}" after ${number(hung.afterSeconds)} s; ` +
          `${number(hung.allowedSeconds)} s are allowed${HINTS[stage] ?? which}`,
      ),
    ]
  },
}
