/** Measures alone, as `hold.ts NAME [--wait]`, until its standard input ends. Says `begun` when it does. */
import { Failure } from '../../bench/lib/failure.ts'
import { measureAlone } from '../../bench/lib/measure-alone.ts'
import { openTerminal } from '../../bench/lib/terminal.ts'

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
