import { list, number, plural } from '@hopwhistle/platform/document/figures.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'

/** The test run came to its end in time. */
export const hungTestRun: Rule = {
  name: 'hung-test-run',
  check({ result: { distributed } }) {
    if (distributed?.hung === undefined) return []
    const { stage, hung, runners } = distributed
    const open = runners.filter(({ state }) => state !== 'ended').map(({ instance }) => instance)
    const which = open.length === 0 ? '' : `; not over: ${plural(open.length, 'runner')} (${list(open)})`
    const because = hung.because === undefined ? which : `: ${hung.because}`
    return [
      invalid(
        `the test run was still "${stage}" after ${number(hung.afterSeconds)} s; ` +
          `${number(hung.allowedSeconds)} s are allowed${because}`,
      ),
    ]
  },
}
