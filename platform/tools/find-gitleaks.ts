import type { Terminal } from '../command-line/terminal.ts'
import { findGoProgram, type GoProgram } from './go-programs.ts'

const GITLEAKS: GoProgram = {
  name: 'gitleaks',
  variable: 'GITLEAKS',
  packageOf: () => 'github.com/zricethezav/gitleaks/v8',
  howTo: `  macOS            brew install gitleaks
  Windows          winget install Gitleaks.Gitleaks
  anywhere         install Go, then run this again: it builds gitleaks`,
}

/**
 * gitleaks: $GITLEAKS, of the PATH, of Go's bin folder, or built by `go install` in the version that versions.json names.
 *
 * @throws {Failure} saying what to do on this system
 */
export function findGitleaks(terminal: Terminal, signal?: AbortSignal): Promise<string> {
  return findGoProgram(GITLEAKS, terminal, signal)
}
