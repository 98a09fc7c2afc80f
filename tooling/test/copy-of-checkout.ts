import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { providePackages } from '../../platform/checkout/provide-packages.ts'
import { CHECKOUT } from './run.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/**
 * A repository of its own with the files of this checkout as they are now, committed, and its packages. It is gone after
 * the tests of the file.
 */
export async function copyOfCheckout(): Promise<string> {
  const parent = mkdtempSync(join(tmpdir(), 'hopwhistle-copy-'))
  folders.push(parent)
  const dir = join(parent, 'checkout')
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', dir])
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: CHECKOUT,
  })
  for (const file of new Set(listed.toString().split('\0').filter(Boolean)))
    if (existsSync(join(CHECKOUT, file))) cpSync(join(CHECKOUT, file), join(dir, file))
  git(dir, 'add', '--all')
  git(dir, 'commit', '--quiet', '--message', 'As it is')
  await providePackages(dir, { signal: AbortSignal.timeout(100_000), onLine: () => {} })
  return dir
}

/** As somebody whom git knows by name. */
export const GIT_IDENTITY = {
  GIT_AUTHOR_NAME: 'a test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_COMMITTER_NAME: 'a test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
}

export const git = (dir: string, ...args: readonly string[]): string =>
  execFileSync('git', args, { cwd: dir, encoding: 'utf8', env: { ...process.env, ...GIT_IDENTITY } }).trimEnd()
