/**
 * Makes a release: `npm run release -- VERSION`. The version of package.json becomes this one, with all that is derived
 * from it, in one commit that is tagged. Nothing is pushed: .github/workflows/release.yml publishes a tag that is.
 *
 *   clean tree ─▶ in order ─▶ changelog dated ─▶ versions written ─▶ charts, OpenAPI generated ─▶ commit ─▶ tag
 *
 * What fails before the commit leaves the tree as it was.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT, Failure, Usage } from '../../platform/command-line/failure.ts'
import { parseOptions } from '../../platform/command-line/parse-options.ts'
import { CHECKOUT } from '../../platform/lib/checkout.ts'
import { changelogProblems, dated, notesOf } from './changelog.ts'
import { compare, followersOf, isVersion, releasesIn, tagOf } from './version.ts'
import { versionOf, versionProblems, writeVersion } from './version-places.ts'

const HELP = `Usage: npm run release -- VERSION        makes the commit and the tag of a release, such as 0.2.0
       npm run release -- notes VERSION  prints what CHANGELOG.md says of a version
       npm run release -- check [TAG]    says what does not have the version of package.json, or of the tag

The tree must be clean, and CHANGELOG.md must say under [Unreleased] what users notice. Nothing is pushed.
`
const CHANGELOG = join(CHECKOUT, 'CHANGELOG.md')
/** The npm scripts that write what has the version in it. */
const GENERATORS = ['charts', 'openapi']

function main(args: readonly string[]): number {
  try {
    const { values, positionals } = parseOptions(args, { help: { type: 'boolean', short: 'h' } }, { min: 0, max: 2 })
    if (values.help === true) return print(HELP)
    const [what = '', given] = positionals
    if (what === 'check') return check(given)
    if (what === 'notes' && given !== undefined) return print(`${notesOf(changelog(), given)}\n`)
    if (what === '' || given !== undefined) throw new Usage('give one version')
    return print(release(what))
  } catch (error) {
    if (!(error instanceof Usage || error instanceof Failure)) throw error
    process.stderr.write(`${error.message}\n${error instanceof Usage ? `\n${HELP}` : ''}`)
    return EXIT.failed
  }
}

function release(version: string): string {
  requireOrder(version)
  requireCleanTree()
  const text = dated(changelog(), version, new Date().toISOString().slice(0, 10))
  try {
    writeFileSync(CHANGELOG, text)
    writeVersion(CHECKOUT, version)
    for (const script of GENERATORS) run('npm', 'run', '--silent', script)
    const problems = problemsOf(version)
    if (problems.length > 0) throw new Failure(problems.join('\n'))
    git('commit', '--quiet', '--all', '--message', `Release ${version}`)
  } catch (error) {
    git('restore', '--staged', '--worktree', '.')
    throw error
  }
  git('tag', '--annotate', tagOf(version), '--message', `Hopwhistle ${version}`)
  return `Committed and tagged as ${tagOf(version)}. When make check and make test pass, publish it:

  git push origin HEAD ${tagOf(version)}
`
}

function check(tag: string | undefined): number {
  const version = versionOf(CHECKOUT)
  const wrongTag =
    tag === undefined || tag === tagOf(version) ? [] : [`the tag is ${tag}, and package.json has ${version}`]
  const problems = [...wrongTag, ...problemsOf(version)]
  for (const problem of problems) process.stdout.write(`${problem}\n`)
  return problems.length === 0 ? EXIT.ok : EXIT.missed
}

function problemsOf(version: string): readonly string[] {
  return [...versionProblems(CHECKOUT), ...changelogProblems(changelog(), version)]
}

/** @throws {Failure} when this version cannot follow what is there */
function requireOrder(version: string): void {
  if (!isVersion(version)) throw new Failure(`"${version}" is no version: it must be three numbers, such as 0.2.0`)
  const last = versionOf(CHECKOUT)
  const allowed = followersOf(last)
  if (!allowed.includes(version)) throw new Failure(`${version} cannot follow ${last}: it may be ${allowed.join(', ')}`)
  const newest = releasesIn(git('tag', '--list', 'v*').split('\n')).at(-1)
  if (newest !== undefined && compare(newest, last) > 0)
    throw new Failure(`${tagOf(newest)} is released, and this branch has ${last}: continue from ${tagOf(newest)}`)
}

/** @throws {Failure} naming what is not committed */
function requireCleanTree(): void {
  const changed = git('status', '--porcelain').split('\n').filter(Boolean)
  if (changed.length === 0) return
  const more = changed.length > 5 ? [`… and ${changed.length - 5} more`] : []
  throw new Failure(['The tree is not clean: commit or remove', ...changed.slice(0, 5), ...more].join('\n'))
}

const changelog = (): string => readFileSync(CHANGELOG, 'utf8')
const git = (...args: readonly string[]): string => run('git', ...args)

/** @throws {Failure} with what the program said */
function run(program: string, ...args: readonly string[]): string {
  try {
    return execFileSync(program, args, { cwd: CHECKOUT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trimEnd()
  } catch (error) {
    const { stderr, stdout } = error as { readonly stderr?: string; readonly stdout?: string }
    throw new Failure(`${[program, ...args].join(' ')} failed:\n${`${stdout ?? ''}${stderr ?? error}`.trim()}`)
  }
}

function print(text: string): number {
  process.stdout.write(text)
  return EXIT.ok
}

process.exitCode = main(process.argv.slice(2))
