import { EXIT, Failure, Usage } from '../platform/command-line/failure.ts'
import { openTerminal, type Terminal } from '../platform/command-line/terminal.ts'

export type Command<O> = {
  readonly help: string
  /** @throws {Usage} saying what is wrong with the arguments */
  options(): O & { readonly help: boolean }
  /** @returns the exit code. When `signal` is aborted, its reason ends the command */
  main(options: O, terminal: Terminal, signal: AbortSignal): Promise<number>
}

/** Runs a command of this folder: its help, its exit code, and an orderly end when it is interrupted. */
export async function runCommand<O>({ help, options, main }: Command<O>): Promise<void> {
  const terminal = openTerminal()
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => stop.abort(new Failure('stopped before the end')))
  }
  try {
    const given = options()
    if (given.help) process.stdout.write(help)
    process.exitCode = given.help ? EXIT.ok : await main(given, terminal, stop.signal)
  } catch (thrown) {
    terminal.clear()
    const error = stop.signal.aborted ? stop.signal.reason : thrown
    const isKnown = error instanceof Failure || error instanceof Usage
    const text = isKnown ? error.message : ((error as Error).stack ?? String(error))
    process.stderr.write(error instanceof Usage ? `${text}\n\n${help}` : `${text}\n`)
    process.exitCode = EXIT.failed
  }
}
