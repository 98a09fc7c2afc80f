import { execFileSync } from 'node:child_process'
import { Failure } from '../command-line/failure.ts'
import type { Terminal } from '../command-line/terminal.ts'
import { findGoProgram, type GoProgram } from './go-programs.ts'

export type K6 = { readonly command: string; readonly version: string }

const K6: GoProgram = {
  name: 'k6',
  variable: 'K6',
  // From version 2 on, Go has the major version in the path.
  packageOf: (version) =>
    Number.parseInt(version, 10) < 2 ? 'go.k6.io/k6' : `go.k6.io/k6/v${Number.parseInt(version, 10)}`,
  howTo: `  macOS            brew install k6
  Debian, Ubuntu   see loadtests/README.md: k6 has a repository of its own
  Windows          winget install k6
  anywhere         install Go, then run this again: it builds k6`,
}

/**
 * Finds k6: $K6, on the PATH, or in Go's bin folder. Otherwise builds the version of versions.json by `go install`.
 *
 * @throws {Failure} with what to do on this system
 */
export async function findK6(terminal: Terminal, signal?: AbortSignal): Promise<K6> {
  return withVersion(await findGoProgram(K6, terminal, signal))
}

function withVersion(command: string): K6 {
  try {
    const text = execFileSync(command, ['version'], { encoding: 'utf8' })
    return { command, version: /v(\d+\.\d+\.\d+\S*)/.exec(text)?.[1] ?? text.trim() }
  } catch (error) {
    throw new Failure(`${command} cannot be run: ${(error as Error).message}`)
  }
}
