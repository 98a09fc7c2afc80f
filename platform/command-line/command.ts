import type { Terminal } from './terminal.ts'

export type CommandContext = {
  readonly terminal: Terminal
  /** Aborted by the first Ctrl-C or SIGTERM: stop in order, then end. */
  readonly signal: AbortSignal
  /** For results: stdout. */
  readonly print: (text: string) => void
}

/** One command of a command line. */
export type Command = {
  readonly summary: string
  readonly help: string
  /** @returns the exit code */
  run(args: readonly string[], context: CommandContext): Promise<number>
}
