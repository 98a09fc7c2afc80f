import { relative, resolve } from 'node:path'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions } from '@hopwhistle/platform/command-line/parse-options.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { judge } from '../judge/judge.ts'
import { renderReport } from '../report/render-report.ts'
import { REPORT_FILE } from '../report/write-report.ts'
import { RESULTS_DIR, readResultFile } from '../run/result-files.ts'

export const report: Command = {
  summary: 'write a page with charts from results that were written before',
  help: `Usage: main.ts report [--output FILE] FILE…

Judges each result again, from what is in the file, and writes one HTML page of all: verdicts with their evidence,
latency distributions, heat maps, client and servers over time, limits, findings, environment and the raw data. The page
needs no network. Several results of one scenario are shown next to each other.

  --output FILE    instead of loadtests/results/${REPORT_FILE}

Exit codes: 0 it was written, 2 a file is no result.
`,
  async run(args, { print }) {
    const { values, positionals } = parseOptions(
      args,
      { output: { type: 'string', default: resolve(RESULTS_DIR, REPORT_FILE) } },
      { min: 1, max: Number.POSITIVE_INFINITY },
    )
    const results = positionals.map(readResultFile).map((result) => ({ ...result, verdict: judge(result) }))
    await writeWhole(values.output, renderReport(results))
    print(`Wrote ${relative(process.cwd(), resolve(values.output))}.\n`)
    return EXIT.ok
  },
}
