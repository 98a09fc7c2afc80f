import { relative } from 'node:path'
import { writeDocument } from '../document/write-document.ts'
import { EXIT } from '../lib/failure.ts'
import { parseOptions } from '../lib/parse-options.ts'
import { writeNewestPerformance } from '../peers/document/write-performance.ts'
import { CHECKOUT } from '../stack/stack-record.ts'
import type { Command } from './command.ts'

export const document: Command = {
  summary: 'write the documents of the measurements again from what is kept of them',
  help: `Usage: main.ts document

Writes docs/performance-baselines.md, docs/performance.md and their charts from loadtests/baselines, without measuring
anything.
`,
  async run(args, { print }) {
    parseOptions(args, {})
    const written = [...(await writeDocument()), ...(await writeNewestPerformance())]
    print(`Wrote ${written.map((path) => relative(CHECKOUT, path)).join(', ')}.\n`)
    return EXIT.ok
  },
}
