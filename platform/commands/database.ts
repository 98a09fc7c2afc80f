/** `migrate` and `seed`: the API's database commands, on the running platform. */

import type { Command } from '../command-line/command.ts'
import { EXIT, Failure } from '../command-line/failure.ts'
import { parseOptions } from '../command-line/parse-options.ts'
import { runDatabaseCommand } from '../stack/database-command.ts'
import { readRecord, stackFolder } from '../stack/stack-record.ts'

export const migrate = databaseCommand(
  'db-migrate',
  'bring the database of the platform that is up to the newest schema',
  `Usage: main.ts migrate

As \`npm run db:migrate\`, on the database that \`make up\` started.
`,
)

export const seed = databaseCommand(
  'db-seed-demo',
  'fill the platform that is up with 30 days of demo calls',
  `Usage: main.ts seed

As \`npm run db:seed:demo\`, on the database that \`make up\` started. Safe to run twice.
`,
)

function databaseCommand(name: 'db-migrate' | 'db-seed-demo', summary: string, help: string): Command {
  return {
    summary,
    help,
    async run(args, { terminal, signal, print }) {
      parseOptions(args, {})
      const details = readRecord(stackFolder())?.details
      if (details === undefined) throw new Failure('nothing is up. Start it: make up')
      let last = ''
      await terminal.during(name, () =>
        runDatabaseCommand(name, {
          ownerUrl: details.urls.owner,
          signal,
          onLine: (line) => {
            last = line
            terminal.show(`  … ${line}`)
          },
        }),
      )
      print(`${last}\n`)
      return EXIT.ok
    },
  }
}
