import { relative } from 'node:path'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions } from '@hopwhistle/platform/command-line/parse-options.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { writeCapacityDocument } from '../capacity/write-document.ts'
import { writeDocument } from '../document/write-document.ts'
import { writeHistory } from '../history/write-history.ts'

export const document: Command = {
  summary: 'write the documents of baselines, history and capacity again from what is kept of them',
  help: `Usage: main.ts document

Writes docs/performance-baselines.md, docs/history.md with their charts, and docs/capacity.md from loadtests/baselines,
without measuring anything.
`,
  async run(args, { print }) {
    parseOptions(args, {})
    const written = [...(await writeDocument()), ...(await writeHistory()), ...(await writeCapacityDocument())]
    print(`Wrote ${written.map((path) => relative(CHECKOUT, path)).join(', ')}.\n`)
    return EXIT.ok
  },
}
