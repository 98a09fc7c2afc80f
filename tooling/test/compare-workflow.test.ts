/** The step that compares, as the workflow has it: which ends of `make compare` fail the job. */
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { CHECKOUT, run } from './run.ts'
import { scratchFolder } from './scratch-folder.ts'

type Step = { readonly name?: string; readonly run?: string }
const { jobs } = parse(readFileSync(join(CHECKOUT, '.github/workflows/compare.yml'), 'utf8')) as {
  readonly jobs: { readonly compare: { readonly steps: readonly Step[] } }
}
const script = (name: string) => jobs.compare.steps.find((step) => step.name === name)!.run!

/** @param code what a `make` ends with that does nothing else */
async function runStep(name: string, code: number, summary?: string) {
  const dir = scratchFolder({
    make: `#!/bin/sh\nexit ${code}\n`,
    ...(summary !== undefined && { 'comparisons/results/compare.md': summary }),
  })
  chmodSync(join(dir, 'make'), 0o755)
  const job = join(dir, 'job.md')
  // As GitHub runs a step.
  const env = { PATH: `${dir}:${process.env.PATH}`, GITHUB_STEP_SUMMARY: job }
  const ended = await run('bash', ['-e', '-o', 'pipefail', '-c', script(name)], { cwd: dir, env })
  return { ...ended, job }
}

test.each([
  [0, 'nothing is slower', 'Same', 0],
  [1, 'something is slower', 'Slower', 1],
  [2, 'it is undecided', 'Undecided', 0],
  [2, 'it could not be measured', undefined, 2],
] as const)('make ends with %d because %s', async (code, _, summary, job) => {
  const ended = await runStep('Compare', code, summary)
  expect(ended.code).toBe(job)
  expect(ended.output.includes('::warning')).toBe(code === 2 && summary !== undefined)
})

test('the summary becomes that of the job, when there is one', async () => {
  const { code, job } = await runStep('Write the summary to the job summary', 0, '# Did it get slower?\n')
  expect(code).toBe(0)
  expect(readFileSync(job, 'utf8')).toBe('# Did it get slower?\n')
  expect((await runStep('Write the summary to the job summary', 0)).code).toBe(0)
})
