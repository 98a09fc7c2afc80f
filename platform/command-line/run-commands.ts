import type { Command } from './command.ts'
import { EXIT, Failure, Usage } from './failure.ts'
import { openTerminal } from './terminal.ts'

/**
 * Runs the command on the command line: `main.ts COMMAND [OPTIONS]`.
 *
 * The first Ctrl-C (or SIGTERM) stops everything in order, the second one stops at once.
 *
 * @returns the exit code
 */
export async function runCommands(commands: Readonly<Record<string, Command>>): Promise<number> {
  const [name, ...args] = process.argv.slice(2)
  const terminal = openTerminal()
  const fail = (text: string): number => {
    terminal.clear()
    process.stderr.write(text)
    return EXIT.failed
  }
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // The guard stops what is left.
      if (stop.signal.aborted) process.exit(EXIT.failed)
      terminal.clear()
      process.stderr.write('Stopping; once more to stop at once.\n')
      stop.abort(new Failure('stopped before the end'))
    })
  }
  if (name === undefined || name === '--help' || name === '-h') {
    process.stdout.write(helpOf(commands))
    return name === undefined ? EXIT.failed : EXIT.ok
  }
  const command = commands[name]
  if (command === undefined) return fail(`unknown command "${name}"\n\n${helpOf(commands)}`)
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(command.help)
    return EXIT.ok
  }
  try {
    return await command.run(args, { terminal, signal: stop.signal, print: (text) => void process.stdout.write(text) })
  } catch (error) {
    if (error instanceof Usage) return fail(`${error.message}\n\n${command.help}`)
    if (error instanceof Failure) return fail(`${error.message}\n`)
    return fail(`${(error as Error).stack ?? String(error)}\n`)
  }
}

const helpOf = (commands: Readonly<Record<string, Command>>): string => `Usage: main.ts COMMAND [OPTIONS]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  .join('\n')}

  main.ts COMMAND --help has the details.
`
