import type { Terminal } from '../command-line/terminal.ts'
import { findGoProgram, type GoProgram } from './go-programs.ts'

const ACTIONLINT: GoProgram = {
  name: 'actionlint',
  variable: 'ACTIONLINT',
  packageOf: () => 'github.com/rhysd/actionlint/cmd/actionlint',
  howTo: `  macOS            brew install actionlint
  Windows          winget install actionlint
  anywhere         install Go, then run this again: it builds actionlint`,
}

/**
 * actionlint: $ACTIONLINT, of the PATH, of Go's bin folder, or built by `go install` in the version that versions.json
 * names.
 *
 * @throws {Failure} saying what to do on this system
 */
export function findActionlint(terminal: Terminal, signal?: AbortSignal): Promise<string> {
  return findGoProgram(ACTIONLINT, terminal, signal)
}
