import type { Terminal } from '../command-line/terminal.ts'
import { findGoProgram, type GoProgram, lookForGoProgram } from './go-programs.ts'

const HELM: GoProgram = {
  name: 'helm',
  variable: 'HELM',
  packageOf: (version) => `helm.sh/helm/v${Number.parseInt(version, 10)}/cmd/helm`,
  howTo: `  macOS            brew install helm
  Windows          winget install Helm.Helm
  anywhere         install Go, then run this again: it builds Helm`,
}

/**
 * Helm: $HELM, of the PATH, of Go's bin folder, or built by `go install` in the version that versions.json names.
 *
 * @throws {Failure} saying what to do on this system
 */
export function findHelm(terminal: Terminal, signal?: AbortSignal): Promise<string> {
  return findGoProgram(HELM, terminal, signal)
}

/** Helm where it is installed already; undefined where it is not. */
export function lookForHelm(): string | undefined {
  return lookForGoProgram(HELM)
}
