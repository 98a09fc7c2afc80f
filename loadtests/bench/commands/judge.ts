import { judge as reachVerdict } from '../judge/judge.ts'
import { parseOptions } from '../lib/parse-options.ts'
import { readResultFile } from '../run/result-files.ts'
import type { Command } from './command.ts'
import { printVerdicts } from './report-results.ts'

export const judge: Command = {
  summary: 'judge results that were written before',
  help: `Usage: main.ts judge FILE…

Reaches the verdict on each result anew, from what is in the file, and prints the table. Changes nothing.

Exit codes: 0 every target is met by valid evidence, 1 a target is missed, 2 the evidence is not valid or a file is
no result.
`,
  async run(args, { print }) {
    const { positionals } = parseOptions(args, {}, { min: 1, max: Number.POSITIVE_INFINITY })
    const results = positionals.map(readResultFile)
    return printVerdicts(
      results.map((result) => ({ ...result, verdict: reachVerdict(result) })),
      print,
    )
  },
}
