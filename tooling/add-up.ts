import { stripVTControlCharacters } from 'node:util'

/** What vitest's JSON reporter writes, as far as it is read here. */
export type TestReport = {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/**
 * One step of .ci/run. `exit` is its exit code or `skipped`; `report` is null when tests ran and wrote none; `again` is the
 * report of the files that failed and were run a second time, whose result counts; `output` is what they printed.
 */
export type Step = {
  readonly name: string
  readonly exit: string
  readonly report?: TestReport | null
  readonly again?: TestReport
  readonly output?: string
}

/** More files than this fail for a reason that a second run does not mend. */
export const RUN_AGAIN_MAX = 5

/** The files to run a second time: those with a failed test, or that could not be loaded. None when they are many. */
export function filesToRunAgain({ testResults }: TestReport): readonly string[] {
  const failed = testResults.filter(({ status }) => status === 'failed').map(({ name }) => name)
  return failed.length <= RUN_AGAIN_MAX ? failed : []
}

export type Sum = {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** What failed or was skipped, by name, and then what was printed of tests that failed. */
  readonly lines: readonly string[]
}

/** A step counts as one test, or as the tests that it ran; a step that fails without a failed test counts as one. */
export function addUp(steps: readonly Step[]): Sum {
  const results = steps.flatMap(resultsOf)
  const count = (status: Result['status']) => results.filter((result) => result.status === status).length
  return {
    passed: count('passed'),
    failed: count('failed'),
    skipped: count('skipped'),
    lines: [
      ...results
        .filter(({ status }) => status !== 'passed')
        .sort((a, b) => b.status.localeCompare(a.status))
        .map(({ status, name }) => `${status}  ${name}`),
      ...steps.flatMap(passedAtSecondTry).map((name) => `passed at the second try  ${name}`),
      ...steps.flatMap(({ output = '' }) => failuresIn(output)).slice(0, FAILURES_SHOWN),
    ],
  }
}

type Result = { readonly status: 'passed' | 'failed' | 'skipped'; readonly name: string }

/** Of a long log often only the end is kept, and what a test that fails now and then said cannot be had again. */
const FAILURES_SHOWN = 5
const FAILURE_LINES = 40

function resultsOf({ name, exit, report: first, again, output }: Step): readonly Result[] {
  if (exit === 'skipped') return [{ status: 'skipped', name }]
  const report = first && again ? withSecondTry(first, again) : first
  const failed = exit !== '0'
  if (report === undefined) return [{ status: failed ? 'failed' : 'passed', name }]
  const tests = (report?.testResults ?? []).flatMap((file) => {
    const inFile = file.assertionResults.map((test): Result => {
      const status = test.status === 'passed' || test.status === 'failed' ? test.status : 'skipped'
      return { status, name: `${name}: ${test.fullName}` }
    })
    // A file that cannot be loaded, or whose hook throws, has failed without a failed test.
    const broken = file.status === 'failed' && inFile.every(({ status }) => status !== 'failed')
    return broken
      ? [...inFile, { status: 'failed' as const, name: `${name}: ${file.name}: ${file.message ?? ''}` }]
      : inFile
  })
  if (tests.length === 0 && !failed) return [{ status: 'failed', name: `${name}: no test ran` }]
  const explained = !failed || tests.some(({ status }) => status === 'failed')
  if (explained) return tests
  const why = output === undefined ? 'see above' : `having printed:\n${errorsIn(output)}`
  return [...tests, { status: 'failed', name: `${name}: ended with ${exit}, ${why}` }]
}

function withSecondTry({ testResults }: TestReport, again: TestReport): TestReport {
  const second = new Map(again.testResults.map((file) => [file.name, file]))
  return { testResults: testResults.map((file) => second.get(file.name) ?? file) }
}

/** A test that fails now and then is a fault, of the test or of what it tests: it is named, though it counts as passed. */
function passedAtSecondTry({ name, report, again }: Step): readonly string[] {
  const namesOf = (status: string, tests?: TestReport | null) =>
    (tests?.testResults ?? []).flatMap(({ assertionResults }) =>
      assertionResults.filter((test) => test.status === status).map(({ fullName }) => `${name}: ${fullName}`),
    )
  const passed = new Set(namesOf('passed', again))
  return namesOf('failed', report).filter((test) => passed.has(test))
}

/** What vitest printed of each test that failed. */
function failuresIn(output: string): readonly string[] {
  const [, ...failures] = stripVTControlCharacters(output).split(/^(?= FAIL )/m)
  return failures.map((failure) => start(failure.split(/^⎯{4}/m)[0] as string))
}

/** An error outside of every test is in no report, only in what was printed, and there far from the end. */
function errorsIn(output: string): string {
  const lines = stripVTControlCharacters(output).trimEnd().split('\n')
  const first = lines.findIndex((line) => line.includes('Unhandled Error'))
  return start(lines.slice(first === -1 ? -FAILURE_LINES : first).join('\n'))
}

function start(printed: string): string {
  return printed
    .trim()
    .split('\n')
    .slice(0, FAILURE_LINES)
    .map((line) => `    ${line}`)
    .join('\n')
}
