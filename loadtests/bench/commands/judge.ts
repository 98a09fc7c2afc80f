import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { Usage } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions } from '@hopwhistle/platform/command-line/parse-options.ts'
import { exitCodeOf } from '../judge/exit-code.ts'
import { judge as reachVerdict } from '../judge/judge.ts'
import { renderMarkdown } from '../judge/render-markdown.ts'
import { judgeOwn } from '../own/judge-own.ts'
import { readOwnResult } from '../own/keep-own.ts'
import { renderOwn } from '../own/render-own.ts'
import { readResultFile } from '../run/result-files.ts'
import { printVerdicts } from './report-results.ts'

export const judge: Command = {
  summary: 'judge results that were written before',
  help: `Usage: main.ts judge [--markdown] FILE…

Judges each result again, from what is in the file, and prints the table. Changes nothing.

  --markdown    the table as Markdown, for the summary of a CI job

Exit codes: 0 every target is met by valid evidence, 1 a target is missed, 2 the evidence is not valid at any rate or a
file is no result.
`,
  async run(args, { print }) {
    const { values, positionals } = parseOptions(
      args,
      { markdown: { type: 'boolean', default: false } },
      { min: 1, max: Number.POSITIVE_INFINITY },
    )
    const own = positionals.flatMap((path) => readOwnResult(path) ?? [])
    if (own.length > 0 && (values.markdown || own.length < positionals.length)) {
      throw new Usage('results of scripts of your own are judged by themselves, and not as Markdown')
    }
    if (own.length > 0) {
      const judged = own.map((result) => ({ result, verdict: judgeOwn(result) }))
      print(judged.map(({ result, verdict }) => renderOwn(result, verdict)).join(''))
      return exitCodeOf(judged.map(({ verdict }) => verdict))
    }
    const results = positionals.map(readResultFile).map((result) => ({ ...result, verdict: reachVerdict(result) }))
    if (!values.markdown) return printVerdicts(results, print, '`make baseline`')
    print(renderMarkdown(results))
    return exitCodeOf(results.map(({ verdict }) => verdict))
  },
}
