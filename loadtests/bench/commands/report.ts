import { relative, resolve } from 'node:path'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT, Usage } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions } from '@hopwhistle/platform/command-line/parse-options.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { judge } from '../judge/judge.ts'
import { readOwnResult } from '../own/keep-own.ts'
import { renderOwnReport } from '../own/own-report.ts'
import { renderReport } from '../report/render-report.ts'
import { REPORT_FILE } from '../report/write-report.ts'
import { RESULTS_DIR, readResultFile } from '../run/result-files.ts'

export const report: Command = {
  summary: 'write a page with charts from results that were written before',
  help: `Usage: main.ts report [--output FILE] FILE…

Judges each result again, from what is in the file, and writes one HTML page of all: verdicts with their evidence,
latency distributions, heat maps, client and servers over time, limits, findings, environment and the raw data. The page
needs no network. Several results of one scenario are shown next to each other; two of scripts of your own are compared.

  --output FILE    instead of loadtests/results/${REPORT_FILE}

Exit codes: 0 it was written, 2 a file is no result.
`,
  async run(args, { print }) {
    const { values, positionals } = parseOptions(
      args,
      { output: { type: 'string', default: resolve(RESULTS_DIR, REPORT_FILE) } },
      { min: 1, max: Number.POSITIVE_INFINITY },
    )
    const own = positionals.flatMap((path) => readOwnResult(path) ?? [])
    if (own.length > 0 && own.length < positionals.length) {
      throw new Usage('results of scripts of your own and of our scenarios have pages of their own; name one kind')
    }
    const page = own.length > 0 ? renderOwnReport(own) : renderReport(positionals.map(readResultFile).map(judged))
    await writeWhole(values.output, page)
    print(`Wrote ${relative(process.cwd(), resolve(values.output))}.\n`)
    return EXIT.ok
  },
}

const judged = (result: LoadtestResult): LoadtestResult => ({ ...result, verdict: judge(result) })
