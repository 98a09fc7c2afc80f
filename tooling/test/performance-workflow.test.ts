/** The steps of the daily workflow that carry the history from run to run, as they stand there. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { CHECKOUT, run } from './run.ts'
import { scratchFolder } from './scratch-folder.ts'

type Step = {
  readonly name?: string
  readonly run?: string
  readonly if?: string
  readonly uses?: string
  readonly with?: Readonly<Record<string, string>>
}
const { jobs } = parse(readFileSync(join(CHECKOUT, '.github/workflows/performance.yml'), 'utf8')) as {
  readonly jobs: { readonly baseline: { readonly steps: readonly Step[] } }
}
const { steps } = jobs.baseline
const named = (name: string): Step => steps.find((step) => step.name === name)!

const [ADD, SAY] = [
  'Add it to the history of this checkout',
  'Say in the job summary what changed, and keep the history for the next run',
]

/** A job's checkout, with the real command line working on a history of its own. */
function job() {
  const dir = scratchFolder({
    npm: `#!/bin/sh\nshift 4\nexec node ${CHECKOUT}/loadtests/bench/main.ts "$@" --folder "$PWD/loadtests/baselines/history"\n`,
  })
  const history = join(dir, 'loadtests/baselines/history')
  mkdirSync(history, { recursive: true })
  const summary = join(dir, 'job.md')
  // As GitHub runs a step.
  const env = { PATH: `${dir}:${process.env.PATH}`, GITHUB_STEP_SUMMARY: summary }
  const runStep = (name: string) =>
    run('bash', ['-e', '-o', 'pipefail', '-c', `chmod +x npm; ${named(name).run}`], { cwd: dir, env })
  return { dir, history, summary, runStep }
}

const COMMITTED = readFileSync(join(CHECKOUT, 'loadtests/baselines/history/linux-x64-2-cores.jsonl'), 'utf8')
  .trim()
  .split('\n')

test('what one run keeps, the next one has, next to what is committed', async () => {
  const [first, next] = [job(), job()]
  writeFileSync(join(first.history, 'linux-x64-2-cores.jsonl'), `${COMMITTED.slice(0, 6).join('\n')}\n`)
  expect(await first.runStep(ADD)).toMatchObject({ code: 0 })
  expect(await first.runStep(SAY)).toMatchObject({ code: 0 })
  expect(readFileSync(first.summary, 'utf8')).toMatch(/^## What changed\n/)

  const kept = join(first.dir, 'loadtests/results/history/linux-x64-2-cores.jsonl')
  mkdirSync(join(next.dir, 'loadtests/results/history'), { recursive: true })
  writeFileSync(join(next.dir, 'loadtests/results/history/linux-x64-2-cores.jsonl'), readFileSync(kept))
  writeFileSync(join(next.history, 'linux-x64-2-cores.jsonl'), `${COMMITTED.slice(3, 9).join('\n')}\n`)
  expect(await next.runStep(ADD)).toMatchObject({ code: 0 })
  const runs = readFileSync(join(next.history, 'linux-x64-2-cores.jsonl'), 'utf8').trim().split('\n')
  expect(runs).toEqual(COMMITTED.slice(0, 9))
}, 120_000)

test('the history is restored before the measurement, and saved however it ends', () => {
  const restore = steps.findIndex(({ uses }) => uses?.startsWith('actions/cache/restore@'))
  const save = steps.findIndex(({ uses }) => uses?.startsWith('actions/cache/save@'))
  const measure = steps.indexOf(named('Measure'))
  expect(restore).toBeGreaterThan(-1)
  expect(restore).toBeLessThan(measure)
  expect(save).toBeGreaterThan(steps.indexOf(named(SAY)))
  for (const step of [named(SAY), steps[save]!]) expect(step.if).toContain('!cancelled()')
  expect(steps[save]!.with).toMatchObject({ key: steps[restore]!.with!.key, path: steps[restore]!.with!.path })
  expect(steps[save]!.with!.key!.startsWith(steps[restore]!.with!['restore-keys']!)).toBe(true)
})
