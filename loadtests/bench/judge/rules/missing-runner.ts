import { list, plural } from '@hopwhistle/platform/document/figures.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'

/** Every k6 process of the test has left a result, and each of them once. */
export const missingRunner: Rule = {
  name: 'missing-runner',
  check({ result: { runners, expectedRunners } }) {
    const names = runners.map(({ instance }) => instance)
    const twice = [...new Set(names.filter((name, i) => names.indexOf(name) !== i))]
    if (twice.length > 0) return [invalid(`the results of runner ${list(twice)} are there more than once`)]
    if (runners.length === expectedRunners) return []
    const found = runners.length === 0 ? 'none' : list(names)
    return [
      invalid(`${plural(expectedRunners, 'runner')} shared the load and ${runners.length} left a result: ${found}`),
    ]
  },
}
