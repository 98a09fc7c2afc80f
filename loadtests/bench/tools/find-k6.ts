import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../lib/failure.ts'
import { isExecutable, onPath, runProgram } from '../lib/run-program.ts'
import type { Terminal } from '../lib/terminal.ts'
import { CHECKOUT } from '../stack/stack-record.ts'

export type K6 = { readonly command: string; readonly version: string }

/**
 * k6: $K6, of the PATH, of Go's bin folder, or built by `go install` in the version that versions.json names.
 *
 * @throws {Failure} saying what to do on this system
 */
export async function findK6(terminal: Terminal, signal?: AbortSignal): Promise<K6> {
  const given = process.env.K6
  if (given !== undefined && given !== '') {
    const command = given.includes('/') ? given : onPath(given)
    if (command === undefined || !isExecutable(command)) throw new Failure(`K6 is ${given}, which cannot be run`)
    return withVersion(command)
  }
  const goBin = goBinFolder()
  const found = onPath('k6') ?? [join(goBin, 'k6')].find(isExecutable)
  if (found !== undefined) return withVersion(found)
  const go = onPath('go') ?? ['/usr/local/go/bin/go'].find(isExecutable)
  if (go === undefined) throw new Failure(howTo())
  const module = `${k6Module(wantedVersion())}@v${wantedVersion()}`
  terminal.step(`  … k6 is missing: go install ${module} (some minutes, once)`)
  terminal.show('  … go: building')
  await runProgram(go, ['install', '-v', module], {
    env: { ...process.env, GOBIN: goBin },
    signal,
    onLine: (line) => terminal.show(`  … go: ${line}`),
  }).catch((cause: unknown) => {
    if (!(cause instanceof Failure)) throw cause
    throw new Failure(`${cause.message}\n${howTo()}`)
  })
  return withVersion(join(goBin, 'k6'))
}

function withVersion(command: string): K6 {
  try {
    const text = execFileSync(command, ['version'], { encoding: 'utf8' })
    return { command, version: /v(\d+\.\d+\.\d+\S*)/.exec(text)?.[1] ?? text.trim() }
  } catch (error) {
    throw new Failure(`${command} cannot be run: ${(error as Error).message}`)
  }
}

function goBinFolder(): string {
  if (process.env.GOBIN) return process.env.GOBIN
  const path = process.env.GOPATH?.split(':')[0]
  return join(path || join(homedir(), 'go'), 'bin')
}

function wantedVersion(): string {
  const file = join(CHECKOUT, 'versions.json')
  const versions = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { readonly k6?: unknown }) : {}
  if (typeof versions.k6 !== 'string') throw new Failure(`${file} does not name the version of k6`)
  return versions.k6
}

/** Go puts the major version into the path from 2 on. */
function k6Module(version: string): string {
  const major = Number.parseInt(version, 10)
  return major < 2 ? 'go.k6.io/k6' : `go.k6.io/k6/v${major}`
}

function howTo(): string {
  return `k6 is neither on the PATH nor in ${goBinFolder()}, and there is no Go to build it. Install it:
  macOS            brew install k6
  Debian, Ubuntu   see loadtests/README.md: k6 has a repository of its own
  Windows          winget install k6
  anywhere         install Go, then run this again: it builds k6
  or set K6 to where it is`
}
