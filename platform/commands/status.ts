import { columns } from '../command-line/columns.ts'
import type { Command } from '../command-line/command.ts'
import { EXIT } from '../command-line/failure.ts'
import { parseOptions } from '../command-line/parse-options.ts'
import { duration } from '../command-line/terminal.ts'
import { bytes } from '../document/figures.ts'
import { readRecord, stackFolder } from '../stack/stack-record.ts'
import { stackStatus } from '../stack/stack-status.ts'

export const status: Command = {
  summary: 'show each process of the platform: port, health, uptime, memory, replica lag',
  help: `Usage: main.ts status

Exit codes: 0 everything is up and well, 1 something is not, 2 nothing is up.
`,
  async run(args, { print }) {
    parseOptions(args, {})
    const record = readRecord(stackFolder())
    if (record === undefined) {
      print('Nothing is up. Start it: make up\n')
      return EXIT.failed
    }
    const rows = await stackStatus(record)
    const table = [
      ['', 'process', 'port', 'health', 'uptime', 'memory'],
      ...rows.map(({ name, pid, port, health, uptimeMs, memoryBytes }) => [
        name,
        pid === undefined ? '–' : String(pid),
        port === undefined ? '–' : String(port),
        health,
        uptimeMs === undefined ? '–' : duration(uptimeMs),
        memoryBytes === undefined ? '–' : bytes(memoryBytes),
      ]),
    ]
    print(columns(table))
    const well = record.state === 'up' && rows.every((row) => row.well)
    print(well ? '\nEverything is well.\n' : '\nSomething is not well. Restart it: make down up\n')
    return well ? EXIT.ok : EXIT.missed
  },
}
