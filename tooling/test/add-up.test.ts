import { expect, test } from 'vitest'
import { addUp, filesToRunAgain, RUN_AGAIN_MAX, type TestReport } from '../add-up.ts'

const report = (...statuses: string[]): TestReport => ({
  testResults: [
    {
      name: 'a.test.ts',
      status: statuses.includes('failed') ? 'failed' : 'passed',
      assertionResults: statuses.map((status, i) => ({ fullName: `test ${i + 1}`, status })),
    },
  ],
})

test('steps and the tests of every report add up', () => {
  const sum = addUp([
    { name: 'make check', exit: '0' },
    { name: 'make test', exit: '0', report: report('passed', 'passed', 'pending') },
    { name: 'Postgres 15: missing postgresql-15', exit: 'skipped' },
  ])
  expect(sum).toEqual({
    passed: 3,
    failed: 0,
    skipped: 2,
    lines: ['skipped  make test: test 3', 'skipped  Postgres 15: missing postgresql-15'],
  })
})

test('a failed test is counted once, and named', () => {
  const sum = addUp([{ name: 'make test', exit: '1', report: report('passed', 'failed') }])
  expect(sum).toEqual({ passed: 1, failed: 1, skipped: 0, lines: ['failed  make test: test 2'] })
})

test.each([
  ['a step that fails', { name: 'make check', exit: '1' }],
  ['tests that all pass in a run that fails', { name: 'make test', exit: '1', report: report('passed') }],
  ['a run that ends without a report', { name: 'make test', exit: '124', report: null }],
  ['a run without tests', { name: 'make test', exit: '0', report: { testResults: [] } }],
  [
    'a file that cannot be loaded',
    {
      name: 'make test',
      exit: '0',
      report: { testResults: [{ name: 'a.test.ts', status: 'failed', message: 'no such file', assertionResults: [] }] },
    },
  ],
])('%s is a failure', (_what, step) => {
  expect(addUp([step]).failed).toBe(1)
})

test('a run that fails without a failed test says what it printed of it', () => {
  const output = [
    '✓ a test',
    '\u001b[31m⎯ Unhandled Errors ⎯\u001b[39m',
    'Error: read ECONNRESET',
    ' Tests  1 passed (1)',
  ].join('\n')
  const { lines } = addUp([{ name: 'make test', exit: '1', report: report('passed'), output }])
  expect(lines).toEqual([
    'failed  make test: ended with 1, having printed:\n    ⎯ Unhandled Errors ⎯\n    Error: read ECONNRESET\n     Tests  1 passed (1)',
  ])
})

test('what was printed of a failed test is repeated at the end, with its seed and its counterexample', () => {
  const output = [
    ' × sums are exact 66ms',
    '⎯⎯⎯⎯⎯⎯⎯ Failed Tests 1 ⎯⎯⎯⎯⎯⎯⎯',
    '',
    '\u001b[31m FAIL \u001b[39m tooling  a.test.ts > sums are exact',
    'Error: Property failed after 1 tests',
    '{ seed: 302109386, path: "0:1", endOnFailure: true }',
    'Counterexample: [[0,-1]]',
    ...Array.from({ length: 50 }, () => ' ❯ somewhere'),
    '⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯[1/1]⎯',
    ' Tests  1 failed (1)',
  ].join('\n')
  const { lines } = addUp([{ name: 'make test', exit: '1', report: report('failed'), output }])
  const [name, ...said] = lines.join('\n').split('\n')
  expect(name).toBe('failed  make test: test 1')
  expect(said).toHaveLength(40)
  expect(said.slice(0, 5).map((line) => line.trim())).toEqual([
    'FAIL  tooling  a.test.ts > sums are exact',
    'Error: Property failed after 1 tests',
    '{ seed: 302109386, path: "0:1", endOnFailure: true }',
    'Counterexample: [[0,-1]]',
    '❯ somewhere',
  ])
})

test('the second run of a file that failed counts, and what passed only then is named', () => {
  const [first, again] = [report('passed', 'failed', 'failed'), report('passed', 'passed', 'failed')]
  expect(filesToRunAgain(first)).toEqual(['a.test.ts'])
  expect(addUp([{ name: 'make test', exit: '1', report: first, again }])).toEqual({
    passed: 2,
    failed: 1,
    skipped: 0,
    lines: ['failed  make test: test 3', 'passed at the second try  make test: test 2'],
  })
})

test('nothing is run a second time when much fails', () => {
  const many = Array.from({ length: RUN_AGAIN_MAX + 1 }, () => report('failed').testResults).flat()
  expect(filesToRunAgain({ testResults: many })).toEqual([])
  expect(filesToRunAgain(report('passed'))).toEqual([])
})
