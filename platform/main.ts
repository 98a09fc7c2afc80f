/** The platform on this machine: `node platform/main.ts COMMAND`, or `make up`, `make status` and so on. */
import type { Command } from './command-line/command.ts'
import { runCommands } from './command-line/run-commands.ts'
import { migrate, seed } from './commands/database.ts'
import { down } from './commands/down.ts'
import { status } from './commands/status.ts'
import { up } from './commands/up.ts'

const COMMANDS: Readonly<Record<string, Command>> = { up, status, down, migrate, seed }

process.exitCode = await runCommands(COMMANDS)
