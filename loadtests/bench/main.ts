/** The load tests, on this machine or in a cluster: `node loadtests/bench/main.ts COMMAND`. */

import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { runCommands } from '@hopwhistle/platform/command-line/run-commands.ts'
import { baseline } from './commands/baseline.ts'
import { capacity } from './commands/capacity.ts'
import { collect } from './commands/collect.ts'
import { document } from './commands/document.ts'
import { history } from './commands/history.ts'
import { judge } from './commands/judge.ts'
import { list } from './commands/list.ts'
import { report } from './commands/report.ts'
import { results } from './commands/results.ts'
import { run } from './commands/run.ts'
import { stop as stopRun } from './commands/stop.ts'

const COMMANDS: Readonly<Record<string, Command>> = {
  baseline,
  run,
  capacity,
  judge,
  report,
  document,
  history,
  list,
  collect,
  results,
  stop: stopRun,
}

process.exitCode = await runCommands(COMMANDS)
