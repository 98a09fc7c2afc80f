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
 * Finds Helm: $HELM, on the PATH, or in Go's bin folder. Otherwise builds the version of versions.json by `go install`.
 *
 * @throws {Failure} with what to do on this system
 */
export function findHelm(terminal: Terminal, signal?: AbortSignal): Promise<string> {
  return findGoProgram(HELM, terminal, signal)
}

/** Path of an installed Helm; undefined when there is none. */
export function lookForHelm(): string | undefined {
  return lookForGoProgram(HELM)
}
