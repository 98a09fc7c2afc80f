/** Which release the tests of upgrades begin with. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { readMigrations } from '../../src/postgres/migrate.ts'
import { lastRelease } from './last-release.ts'

beforeEach(() => {
  vi.stubEnv('HOPWHISTLE_LAST_RELEASE', '')
  return () => vi.unstubAllEnvs()
})

/** A repository in which each commit adds a migration. */
function repository() {
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-releases-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=a test', '-c', 'user.email=test@example.com', ...args], {
      cwd: dir,
      stdio: 'pipe',
    })
  git('init', '--quiet')
  mkdirSync(join(dir, 'api/migrations'), { recursive: true })
  const add = (name: string) => {
    writeFileSync(join(dir, 'api/migrations', `${name}.sql`), `select '${name}';\n`)
    git('add', '--all')
    git('commit', '--quiet', '--message', name)
  }
  return { dir, git, add }
}

const names = (dir: string) => lastRelease(dir)?.migrations.map(({ name }) => name)

test('without a tag there is no release', () => {
  const { dir, git, add } = repository()
  add('0001_first')
  git('tag', 'nightly')
  add('0002_second')
  expect(lastRelease(dir)).toBeUndefined()
})

test('it is the newest tag before this commit, with what its migrations were then', () => {
  const { dir, git, add } = repository()
  add('0001_first')
  git('tag', 'v0.1.0')
  add('0002_second')
  git('tag', '--annotate', 'v0.2.0', '--message', 'Hopwhistle 0.2.0')
  add('0003_third')
  writeFileSync(join(dir, 'api/migrations/0001_first.sql'), 'changed\n')
  expect(lastRelease(dir)).toMatchObject({ tag: 'v0.2.0', migrations: [{ sql: "select '0001_first';\n" }, {}] })
  expect(names(dir)).toEqual(['0001_first', '0002_second'])
})

test('on the commit of a release, it is the one before', () => {
  const { dir, git, add } = repository()
  add('0001_first')
  git('tag', 'v0.1.0')
  add('0002_second')
  git('tag', 'v0.2.0')
  expect(lastRelease(dir)?.tag).toBe('v0.1.0')
})

test('a release of another branch does not count', () => {
  const { dir, git, add } = repository()
  add('0001_first')
  git('tag', 'v0.1.0')
  git('checkout', '--quiet', '-b', 'other')
  add('0002_other')
  git('tag', 'v9.0.0')
  git('checkout', '--quiet', '-')
  add('0002_second')
  expect(lastRelease(dir)?.tag).toBe('v0.1.0')
})

test('no migration of the last release was changed since, or is gone', async ({ skip }) => {
  vi.unstubAllEnvs()
  const release = lastRelease()
  if (release === undefined) return skip('missing: the tag of a release')
  const now = new Map((await readMigrations()).map(({ name, checksum }) => [name, checksum]))
  for (const { name, checksum } of release.migrations)
    expect(now.get(name), `${name}, since ${release.tag}`).toBe(checksum)
})
