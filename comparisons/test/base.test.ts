/** The platform at an earlier commit: which code it runs, and what remains after its removal. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { providePackages } from '@hopwhistle/platform/checkout/provide-packages.ts'
import { openTerminal } from '@hopwhistle/platform/command-line/terminal.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { afterAll, expect, test } from 'vitest'
import { openBase } from '../base/open-base.ts'

const temporary = mkdtempSync(join(tmpdir(), 'hopwhistle-base-test-'))
afterAll(() => rmSync(temporary, { recursive: true, force: true }))

const { signal } = new AbortController()
const open = (base: string) => openBase({ base, terminal: openTerminal({ write: () => true }), signal })
const git = (...args: string[]) => execFileSync('git', ['-C', CHECKOUT, ...args], { encoding: 'utf8' }).trim()

test('the base has its own contract, its own flags for Node and the packages that are installed here', async () => {
  const { commit, code, remove } = await open('HEAD')
  try {
    expect(commit).toBe(git('rev-parse', 'HEAD'))
    const { resolve } = createRequire(join(code.dir, 'api', 'src', 'main.ts'))
    const ofBase = (path: string) => realpathSync(join(code.dir, path))
    expect(realpathSync(resolve('@hopwhistle/contract/routes.ts'))).toBe(ofBase('contract/routes.ts'))
    expect(realpathSync(resolve('fastify'))).toMatch(/node_modules\/fastify\//)
    expect(code.nodeFlags.length).toBeGreaterThan(0)
  } finally {
    await remove()
  }
  expect(existsSync(code.dir)).toBe(false)
  expect(git('worktree', 'list')).not.toContain(code.dir)
})

test('a base that this clone does not have is named, with what to do', async () => {
  await expect(open('no-such-commit')).rejects.toThrow(
    /^the base "no-such-commit" is no commit of this clone's history/,
  )
})

test('an API that would load the contract of this checkout is refused', async () => {
  const dir = join(temporary, 'packages')
  mkdirSync(dir)
  mkdirSync(join(dir, 'api'))
  symlinkSync(join(CHECKOUT, 'package-lock.json'), join(dir, 'package-lock.json'))
  // As if a workspace of the base linked to another checkout.
  writeFileSync(join(dir, 'api', 'package.json'), '{}')
  mkdirSync(join(dir, 'api', 'node_modules', '@hopwhistle'), { recursive: true })
  symlinkSync(join(CHECKOUT, 'contract'), join(dir, 'api', 'node_modules', '@hopwhistle', 'contract'))
  await expect(providePackages(dir, { signal, onLine: () => {} })).rejects.toThrow(/it must be its own$/)
})
