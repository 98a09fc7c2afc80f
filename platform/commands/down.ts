import type { Command } from '../command-line/command.ts'
import { EXIT } from '../command-line/failure.ts'
import { parseOptions } from '../command-line/parse-options.ts'
import { readRecord, stackFolder } from '../stack/stack-record.ts'
import { stopStack } from '../stack/stop-stack.ts'

export const down: Command = {
  summary: 'stop the platform that `up` started, and delete its data',
  help: `Usage: main.ts down

Stops the API, Redis, the replica and the primary, and removes their data. It is safe to run twice.
`,
  async run(args, { terminal, print }) {
    parseOptions(args, {})
    const dir = stackFolder()
    const record = readRecord(dir)
    if (record === undefined) {
      print('Nothing is up.\n')
      return EXIT.ok
    }
    const { stopped, killed } = await terminal.during('stopping', () => stopStack(dir, record))
    print(`Stopped ${stopped.length === 0 ? 'nothing: all processes had already ended' : stopped.join(', ')}.\n`)
    if (killed.length > 0) print(`Had to be killed: ${killed.join(', ')}.\n`)
    return EXIT.ok
  },
}
