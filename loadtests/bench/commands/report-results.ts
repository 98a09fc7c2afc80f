import { relative } from 'node:path'
import type { LoadtestResult } from '../../results-format.ts'
import { writeBaseline } from '../document/write-baseline.ts'
import { writeDocument } from '../document/write-document.ts'
import { exitCodeOf } from '../judge/exit-code.ts'
import { renderTable } from '../judge/render-table.ts'
import type { Verdict } from '../judge/verdict.ts'
import { CHECKOUT } from '../stack/stack-record.ts'

/** The table for people. @returns the exit code that the verdicts make */
export function printVerdicts(results: readonly LoadtestResult[], print: (text: string) => void): number {
  print(renderTable(results, { colour: process.stdout.isTTY === true && !process.env.NO_COLOR }))
  return exitCodeOf(results.map(({ verdict }) => verdict as unknown as Verdict))
}

/** Writes the baseline of these results' environment, and the document from all baselines. */
export async function writeAll(results: readonly LoadtestResult[], print: (text: string) => void): Promise<void> {
  const written = [await writeBaseline(results), ...(await writeDocument())]
  print(`Wrote ${written.map((path) => relative(CHECKOUT, path)).join(', ')}.\n`)
}
