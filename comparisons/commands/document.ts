import { relative } from 'node:path'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions } from '@hopwhistle/platform/command-line/parse-options.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { writeNewestPerformance } from '../document/write-performance.ts'
import { KEPT_RUNS, readKeptRuns } from '../versions/calibration/kept-runs.ts'
import { writeTrust } from '../versions/calibration/render-trust.ts'

export const document: Command = {
  summary: 'write docs/performance.md and docs/trust.md again from the stored measurements',
  help: `Usage: main.ts document

Writes docs/performance.md, its chart and docs/trust.md from comparisons/baselines, without measuring anything.
`,
  async run(args, { print }) {
    parseOptions(args, {})
    const written = [...(await writeNewestPerformance()), await writeTrust(readKeptRuns(KEPT_RUNS))]
    print(`Wrote ${written.map((path) => relative(CHECKOUT, path)).join(', ')}.\n`)
    return EXIT.ok
  },
}
