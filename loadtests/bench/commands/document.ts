import { relative } from 'node:path'
import { writeDocument } from '../document/write-document.ts'
import { EXIT } from '../lib/failure.ts'
import { parseOptions } from '../lib/parse-options.ts'
import { CHECKOUT } from '../stack/stack-record.ts'
import type { Command } from './command.ts'

export const document: Command = {
  summary: 'write docs/performance-baselines.md again from the baselines',
  help: `Usage: main.ts document

Writes docs/performance-baselines.md and its charts from loadtests/baselines, without measuring anything.
`,
  async run(args, { print }) {
    parseOptions(args, {})
    const written = await writeDocument()
    print(`Wrote ${written.map((path) => relative(CHECKOUT, path)).join(', ')}.\n`)
    return EXIT.ok
  },
}
