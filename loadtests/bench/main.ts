/**
 * The platform on this machine, and its measurement here or in a cluster: `node loadtests/bench/main.ts COMMAND`.
 *
 * The first Ctrl-C (or SIGTERM) stops everything in order, the second one at once.
 */
import { baseline } from './commands/baseline.ts'
import { collect } from './commands/collect.ts'
import type { Command } from './commands/command.ts'
import { migrate, seed } from './commands/database.ts'
import { document } from './commands/document.ts'
import { down } from './commands/down.ts'
import { judge } from './commands/judge.ts'
import { list } from './commands/list.ts'
import { peers } from './commands/peers.ts'
import { run } from './commands/run.ts'
import { status } from './commands/status.ts'
import { stop as stopRun } from './commands/stop.ts'
import { up } from './commands/up.ts'
import { EXIT, Failure, Usage } from './lib/failure.ts'
import { openTerminal } from './lib/terminal.ts'

const COMMANDS: Readonly<Record<string, Command>> = {
  baseline,
  peers,
  up,
  status,
  down,
  run,
  judge,
  document,
  migrate,
  seed,
  list,
  collect,
  stop: stopRun,
}

const HELP = `Usage: main.ts COMMAND [OPTIONS]

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  .join('\n')}

  main.ts COMMAND --help tells more.
`

const [name, ...args] = process.argv.slice(2)
const terminal = openTerminal()
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The guard takes down what is left.
    if (stop.signal.aborted) process.exit(EXIT.failed)
    terminal.clear()
    process.stderr.write('Stopping; once more to stop at once.\n')
    stop.abort(new Failure('stopped before the end'))
  })
}

process.exitCode = await main()

async function main(): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') {
    process.stdout.write(HELP)
    return name === undefined ? EXIT.failed : EXIT.ok
  }
  const command = COMMANDS[name]
  if (command === undefined) return fail(`unknown command "${name}"\n\n${HELP}`)
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

function fail(text: string): number {
  terminal.clear()
  process.stderr.write(text)
  return EXIT.failed
}
