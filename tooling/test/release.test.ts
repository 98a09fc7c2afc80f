/** `npm run release`, in a repository of the test's own with the files of this checkout. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { changelogProblems, dated, notesOf } from '../release/changelog.ts'
import { compare, followersOf, isVersion, releasesIn } from '../release/version.ts'
import { versionOf, versionProblems } from '../release/version-places.ts'
import { copyOfCheckout, GIT_IDENTITY, git } from './copy-of-checkout.ts'
import { CHECKOUT, run } from './run.ts'

test('everything has the version of package.json, and the changelog has it', () => {
  expect(versionProblems(CHECKOUT)).toEqual([])
  expect(changelogProblems(readFileSync(join(CHECKOUT, 'CHANGELOG.md'), 'utf8'), versionOf(CHECKOUT))).toEqual([])
})

test('versions are three numbers, in the order of numbers', () => {
  expect(['0.2.0', '10.0.1'].filter(isVersion)).toHaveLength(2)
  expect(['v0.2.0', '0.2', '0.2.0-rc1', '01.2.3', '0.2.0 ', ''].filter(isVersion)).toEqual([])
  expect(releasesIn(['v0.10.0', 'v0.2.0', 'other', 'v1.0', 'v0.9.12'])).toEqual(['0.2.0', '0.9.12', '0.10.0'])
  expect(compare('1.2.3', '1.2.3')).toBe(0)
  expect(followersOf('0.9.4')).toEqual(['0.9.5', '0.10.0', '1.0.0'])
})

const CHANGELOG = `# Changelog

## [Unreleased]

### Added

- A thing for $& and $1.

## [0.1.0] - 2026-11-30

The first.
`

test('what was unreleased gets version and date, and a new place for what comes next is there', () => {
  const next = dated(CHANGELOG, '0.2.0', '2026-12-24')
  expect(next).toContain('## [Unreleased]\n\n## [0.2.0] - 2026-12-24\n\n### Added\n\n- A thing for $& and $1.\n')
  expect(notesOf(next, '0.2.0')).toBe('### Added\n\n- A thing for $& and $1.')
  expect(changelogProblems(next, '0.2.0')).toEqual([])
  expect(() => dated(next, '0.3.0', '2026-12-25')).toThrow('nothing under [Unreleased]')
  expect(() => dated(CHANGELOG, '0.1.0', '2026-12-25')).toThrow('has a section [0.1.0] already')
  expect(() => notesOf(CHANGELOG, '0.2.0')).toThrow('no section [0.2.0]')
})

test.each([
  ['another version', CHANGELOG, '0.2.0', 'its newest version is 0.1.0, and package.json has 0.2.0'],
  ['no date', CHANGELOG.replace(' - 2026-11-30', ''), '0.1.0', '[0.1.0] has no date'],
  [
    'no place for what comes',
    CHANGELOG.replace('[Unreleased]', '[0.2.0] - 2026-12-01'),
    '0.1.0',
    'must be [Unreleased]',
  ],
  ['a kind of its own', CHANGELOG.replace('Added', 'New'), '0.1.0', '"### New" is none of Added'],
])('a changelog with %s is noticed', (_, text, version, problem) => {
  expect(changelogProblems(text, version).join()).toContain(problem)
})

describe('in a repository', { timeout: 240_000 }, () => {
  let dir: string
  beforeAll(async () => {
    dir = await copyOfCheckout()
    // What the next release says, whatever this checkout has there.
    const file = join(dir, 'CHANGELOG.md')
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace('## [Unreleased]\n', '## [Unreleased]\n\n### Fixed\n\n- A fix.\n'),
    )
    git(dir, 'commit', '--quiet', '--all', '--message', 'Say what is new')
  }, 120_000)
  const release = (...args: readonly string[]) =>
    run('npm', ['run', '--silent', 'release', '--', ...args], { cwd: dir, env: GIT_IDENTITY })
  const head = () => git(dir, 'rev-parse', 'HEAD')

  test.each([
    ['9.9.9', 'cannot follow'],
    ['0.0.1', 'cannot follow'],
    ['next', '"next" is no version'],
    ['v0.2.0', '"v0.2.0" is no version'],
  ])('%s is refused, and nothing changes', async (version, reason) => {
    const before = head()
    const { code, output } = await release(version)
    expect(output).toContain(reason)
    expect(code).toBe(2)
    expect(git(dir, 'status', '--porcelain')).toBe('')
    expect([head(), git(dir, 'tag')]).toEqual([before, ''])
  })

  test('a version that is the present one cannot be released again', async () => {
    const { code, output } = await release(versionOf(dir))
    expect([code, output]).toEqual([2, expect.stringContaining('cannot follow')])
  })

  test('a tree that is not clean is refused by the names of its files, and stays as it is', async () => {
    const [next = ''] = followersOf(versionOf(dir))
    appendFileSync(join(dir, 'README.md'), 'unfinished\n')
    writeFileSync(join(dir, 'new.txt'), 'new\n')
    const { code, output } = await release(next)
    expect([code, output]).toEqual([2, expect.stringMatching(/not clean[\s\S]*README\.md[\s\S]*new\.txt/)])
    expect(readFileSync(join(dir, 'README.md'), 'utf8')).toContain('unfinished')
    git(dir, 'restore', '.')
    git(dir, 'clean', '--quiet', '--force', 'new.txt')
  })

  test('behind a release of another branch, none can be made', async () => {
    const [next = ''] = followersOf(versionOf(dir))
    git(dir, 'tag', 'v99.0.0')
    const { code, output } = await release(next)
    git(dir, 'tag', '--delete', 'v99.0.0')
    expect([code, output]).toEqual([2, expect.stringContaining('v99.0.0 is released, and this branch has')])
  })

  test('when a generator fails, the tree is as before', async () => {
    const [next = ''] = followersOf(versionOf(dir))
    const manifest = join(dir, 'package.json')
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/"openapi": ".*"/, '"openapi": "false"'))
    git(dir, 'commit', '--quiet', '--all', '--message', 'Break it')
    const before = head()
    const { code, output } = await release(next)
    expect([code, output]).toEqual([2, expect.stringContaining('npm run --silent openapi failed')])
    expect([head(), git(dir, 'status', '--porcelain'), git(dir, 'tag')]).toEqual([before, '', ''])
    git(dir, 'reset', '--quiet', '--hard', 'HEAD^')
  })

  test('the next minor version is one commit with a tag, in which everything agrees', async () => {
    const [, next = ''] = followersOf(versionOf(dir))
    const { code, output } = await release(next)
    expect(code, output).toBe(0)
    expect(output).toContain(`git push origin HEAD v${next}`)
    expect(git(dir, 'log', '-1', '--format=%s')).toBe(`Release ${next}`)
    expect(git(dir, 'rev-list', '-n', '1', `v${next}`)).toBe(head())
    expect(git(dir, 'cat-file', '-t', `v${next}`), 'a tag with a message').toBe('tag')
    expect(git(dir, 'status', '--porcelain')).toBe('')
    expect(versionProblems(dir)).toEqual([])
    expect(await release('check', `v${next}`)).toEqual({ code: 0, output: '' })
    expect((await release('notes', next)).output).toContain('- A fix.')
    const changed = git(dir, 'diff', '--name-only', 'HEAD^').split('\n')
    for (const file of [
      'package.json',
      'package-lock.json',
      'client/package.json',
      'api/openapi.json',
      'CHANGELOG.md',
      'charts/hopwhistle/Chart.yaml',
      'charts/hopwhistle/values.yaml',
      'client/README.md',
    ])
      expect(changed).toContain(file)
    // Packages of others keep theirs.
    const removed = git(dir, 'diff', '--unified=0', 'HEAD^', '--', 'package-lock.json').match(/^-[^-].*/gm) ?? []
    expect(removed.length).toBeGreaterThan(10)
    for (const line of removed) expect(line).toContain(`"${versionOf(CHECKOUT)}"`)

    const again = await release(next)
    expect([again.code, again.output]).toEqual([2, expect.stringContaining('cannot follow')])
    const [after = ''] = followersOf(next)
    const empty = await release(after)
    expect([empty.code, empty.output]).toEqual([2, expect.stringContaining('nothing under [Unreleased]')])
  })

  test('a chart, a manifest or a text with another version is named', async () => {
    for (const file of ['charts/hopwhistle/Chart.yaml', 'e2e/package.json', 'client/README.md']) {
      const path = join(dir, file)
      const text = readFileSync(path, 'utf8')
      writeFileSync(path, text.replaceAll(versionOf(dir), '7.7.7'))
      const { code, output } = await release('check')
      writeFileSync(path, text)
      expect([code, output]).toEqual([1, expect.stringMatching(new RegExp(`${file}.* has version 7\\.7\\.7`))])
    }
  })
})
