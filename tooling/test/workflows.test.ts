import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CHECKOUT, run } from './run.ts'
import { scratchFolder } from './scratch-folder.ts'

const release = readFileSync(join(CHECKOUT, '.github/workflows/release.yml'), 'utf8')

test.each([
  ['an unknown key', release.replace('timeout-minutes', 'timeout-minute'), 'unexpected key "timeout-minute"'],
  ['an unknown permission', release.replace('packages: write', 'package: write'), 'unknown permission scope "package"'],
  [
    'an expression of what there is not',
    release.replace('github.token', 'github.tokens'),
    'property "tokens" is not defined',
  ],
  ['an unknown event', release.replace('  push:', '  pushed:'), 'unknown Webhook event "pushed"'],
])(
  'a workflow with %s is noticed',
  async (_, text, message) => {
    const folder = scratchFolder({ 'release.yml': text })
    const { code, output } = await run('node', ['tooling/check-workflows.ts', join(folder, 'release.yml')])
    expect([code, output]).toEqual([1, expect.stringContaining(message)])
  },
  600_000,
)
