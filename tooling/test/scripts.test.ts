import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CHECKOUT, run } from './run.ts'

const shebang = /^#!.*\b(sh|bash)\n/
const scripts = execFileSync('git', ['ls-files', '*.sh', '.ci/run'], { cwd: CHECKOUT, encoding: 'utf8' })
  .trim()
  .split('\n')

test.each(scripts)('%s can be read by its shell, and be run', async (script) => {
  const path = join(CHECKOUT, script)
  const shell = shebang.exec(readFileSync(path, 'utf8'))?.[1]
  expect(shell, 'names its shell in the first line').toBeDefined()
  expect(await run(shell ?? 'sh', ['-n', path])).toEqual({ code: 0, output: '' })
  expect(statSync(path).mode & 0o111, 'is executable').not.toBe(0)
})

test('run-all.sh --help tells of itself, and neither needs k6 nor starts it', async () => {
  const script = join(CHECKOUT, 'loadtests', 'run-all.sh')
  for (const flag of ['--help', '-h']) {
    const { code, output } = await run('bash', [script, flag], { env: { K6: '/nowhere/k6' } })
    expect(code).toBe(0)
    expect(output).toMatch(/^Usage: run-all\.sh/)
    expect(output.split('Usage:')).toHaveLength(2)
  }
})
