/** Programs that `go install` builds when they are missing, in the versions of versions.json. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../command-line/failure.ts'
import type { Terminal } from '../command-line/terminal.ts'
import { CHECKOUT } from '../lib/checkout.ts'
import { isExecutable, onPath, runProgram } from '../machine/run-program.ts'

export type GoProgram = {
  readonly name: string
  /** The environment variable that says where it is. */
  readonly variable: string
  /** The package that is built, at this version. */
  readonly packageOf: (version: string) => string
  /** How to install it, by system. */
  readonly howTo: string
}

/**
 * The path of the program: from its variable, from the PATH, or in Go's bin folder.
 *
 * @throws {Failure} when the variable does not name an executable file
 */
export function lookForGoProgram({ name, variable }: GoProgram): string | undefined {
  const given = process.env[variable]
  if (given !== undefined && given !== '') {
    const command = given.includes('/') ? given : onPath(given)
    if (command === undefined || !isExecutable(command))
      throw new Failure(`${variable} is ${given}, which cannot be run`)
    return command
  }
  return onPath(name) ?? [join(goBinFolder(), name)].find(isExecutable)
}

/** The same; builds it first when it is missing. @throws {Failure} with what to do on this system */
export async function findGoProgram(program: GoProgram, terminal: Terminal, signal?: AbortSignal): Promise<string> {
  const found = lookForGoProgram(program)
  if (found !== undefined) return found
  const { name, packageOf } = program
  const go = onPath('go') ?? ['/usr/local/go/bin/go'].find(isExecutable)
  if (go === undefined) throw new Failure(howTo(program))
  const version = wantedVersion(name)
  const wanted = `${packageOf(version)}@v${version}`
  const build = () =>
    runProgram(go, ['install', '-v', wanted], {
      env: { ...process.env, GOBIN: goBinFolder() },
      signal,
      onLine: (line) => terminal.show(`  … go: ${line}`),
    })
  const built = () => `✓ ${name.padEnd(22)} built by Go`
  await terminal
    .during(`${name} is missing: go install ${wanted} (some minutes, once)`, build, built)
    .catch((cause: unknown) => {
      if (!(cause instanceof Failure)) throw cause
      throw new Failure(`${cause.message}\n${howTo(program)}`)
    })
  return join(goBinFolder(), name)
}

function goBinFolder(): string {
  if (process.env.GOBIN) return process.env.GOBIN
  const path = process.env.GOPATH?.split(':')[0]
  return join(path || join(homedir(), 'go'), 'bin')
}

function wantedVersion(name: string): string {
  const file = join(CHECKOUT, 'versions.json')
  const versions: Record<string, unknown> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const version = versions[name]
  if (typeof version !== 'string') throw new Failure(`${file} does not name the version of ${name}`)
  return version
}

function howTo({ name, variable, howTo }: GoProgram): string {
  return `${name} is neither on the PATH nor in ${goBinFolder()}, and there is no Go to build it. Install it:
${howTo}
  or set ${variable} to where it is`
}
