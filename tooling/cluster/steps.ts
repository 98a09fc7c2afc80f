import type { Terminal } from '../../platform/command-line/terminal.ts'

/** What each step of a command gets. */
export type Steps = {
  readonly terminal: Terminal
  /** Aborted by Ctrl-C: end, and leave what is done. Running the command again goes on from there. */
  readonly signal: AbortSignal
}
