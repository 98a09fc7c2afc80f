/** The platform next to alternatives and to other versions of itself: `npm run comparisons -- COMMAND`. */
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { runCommands } from '@hopwhistle/platform/command-line/run-commands.ts'
import { calibrate } from './commands/calibrate.ts'
import { compare } from './commands/compare.ts'
import { document } from './commands/document.ts'
import { measure } from './commands/measure.ts'

const COMMANDS: Readonly<Record<string, Command>> = { compare, calibrate, measure, document }

process.exitCode = await runCommands(COMMANDS)
