/**
 * The platform in Kubernetes: `node tooling/cluster/main.ts COMMAND`, or `make kind-up`, `make deploy` and so on.
 *
 * Every command can be run again, also after it was stopped in the middle: it goes on with what is not done.
 */
import { EXIT, Failure, Usage } from '../../platform/command-line/failure.ts'
import { openTerminal } from '../../platform/command-line/terminal.ts'
import type { ClusterCommand } from './commands/cluster-command.ts'
import { deploy } from './commands/deploy.ts'
import { growVolume } from './commands/grow-volume.ts'
import { kindDown, kindUp } from './commands/kind.ts'
import { restorePrimary } from './commands/restore-primary.ts'
import { scale } from './commands/scale.ts'

const COMMANDS: Readonly<Record<string, ClusterCommand>> = {
  'kind-up': kindUp,
  'kind-down': kindDown,
  deploy,
  scale,
  'grow-volume': growVolume,
  'restore-primary': restorePrimary,
}

const HELP = `Usage: main.ts COMMAND

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(15)} ${summary}`)
  .join('\n')}

  main.ts COMMAND --help has the details.
`

const [name = '', ...args] = process.argv.slice(2)
const terminal = openTerminal()
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(EXIT.failed)
    stop.abort(new Failure('stopped before the end; run it again to go on'))
  })
}

process.exitCode = await main()

async function main(): Promise<number> {
  const command = COMMANDS[name]
  if (command === undefined) {
    if (name === '--help' || name === '-h') return print(HELP)
    return fail(name === '' ? HELP : `unknown command "${name}"\n\n${HELP}`)
  }
  if (args.includes('--help') || args.includes('-h')) return print(command.help)
  try {
    const result = await command.run(args, { terminal, signal: stop.signal })
    terminal.clear()
    return print(result)
  } catch (error) {
    if (error instanceof Usage) return fail(`${error.message}\n\n${command.help}`)
    if (error instanceof Failure) return fail(`${error.message}\n`)
    return fail(`${(error as Error).stack ?? String(error)}\n`)
  }
}

function print(text: string): number {
  process.stdout.write(text)
  return EXIT.ok
}

function fail(text: string): number {
  terminal.clear()
  process.stderr.write(text)
  return EXIT.failed
}
