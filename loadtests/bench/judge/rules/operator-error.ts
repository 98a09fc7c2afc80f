import { invalid, type Rule } from '../../evidence/evidence.ts'

/** k6-operator could start the test. */
export const operatorError: Rule = {
  name: 'operator-error',
  check({ result: { distributed } }) {
    if (distributed?.failure === undefined) return []
    return [invalid(`k6-operator could not start the test run: ${distributed.failure}`)]
  },
}
