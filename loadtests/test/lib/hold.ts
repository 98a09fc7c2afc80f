/** Measures alone, as `hold.ts NAME [--wait]`, until its standard input ends. Says `begun` when it does. */
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { openTerminal } from '@hopwhistle/platform/command-line/terminal.ts'
import { measureAlone } from '@hopwhistle/platform/machine/measure-alone.ts'

const [command = '', option] = process.argv.slice(2)
try {
  await measureAlone({ command, wait: option === '--wait', terminal: openTerminal() }, async () => {
    process.stdout.write('begun\n')
    for await (const _ of process.stdin);
  })
} catch (error) {
  if (!(error instanceof Failure)) throw error
  process.stderr.write(error.message)
  process.exitCode = 2
}
