import { relative } from 'node:path'
import { SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { minute } from '@hopwhistle/platform/document/markdown.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { missingOf } from '../../scenarios/lib/complete-run.ts'
import { PLACES, type Places } from '../document/paths.ts'
import { writeBaseline } from '../document/write-baseline.ts'
import { writeDocument } from '../document/write-document.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { keepRuns, writeHistory } from '../history/write-history.ts'
import { exitCodeOf } from '../judge/exit-code.ts'
import { renderTable, verdictOf } from '../judge/render-table.ts'
import { machineText } from '../machine/fit.ts'
import { writeReport } from '../report/write-report.ts'

/**
 * The table for people.
 *
 * @param keptBy what would have kept the results as a baseline, when this command does not
 * @returns the exit code that the verdicts make
 */
export function printVerdicts(
  results: readonly LoadtestResult[],
  print: (text: string) => void,
  keptBy?: string,
): number {
  print(machineLine(results))
  print(renderTable(results, { colour: process.stdout.isTTY === true && !process.env.NO_COLOR, keptBy }))
  return exitCodeOf(results.map(verdictOf))
}

/** What it was measured on; nothing for results of a version that did not say so. */
function machineLine(results: readonly LoadtestResult[]): string {
  const environment = results[0]?.environment
  if (environment === undefined) return ''
  const [subscriberVUs] = results.flatMap(({ runners }) => runners[0]?.settings.subscriberVUs ?? [])
  const fit = { ...environment.stack, ...(subscriberVUs === undefined ? {} : { subscriberVUs }) }
  return `\n  ${machineText(environment.machine, fit)}\n`
}

/** Writes the page of a measurement next to its results, and prints its path. */
export async function printReport(
  results: readonly LoadtestResult[],
  print: (text: string) => void,
  resultsDir?: string,
): Promise<void> {
  const measured = results.filter(({ runners }) => runners.length > 0)
  if (measured.length === 0) return print('There is no report: no runner left a result.\n')
  print(`Report: ${relative(process.cwd(), await writeReport(measured, resultsDir))}\n`)
}

/** Writes the baseline of these results' environment, adds them to its history, and writes the documents of both. */
export async function writeAll(
  results: readonly LoadtestResult[],
  print: (text: string) => void,
  places: Places = PLACES,
): Promise<void> {
  const { path, kept } = await writeBaseline(results, places)
  await keepRuns(results, places)
  const written = [path, ...(await writeDocument(places)), ...(await writeHistory(places))]
  print(`Wrote ${written.map((path) => relative(CHECKOUT, path)).join(', ')}.\n`)
  for (const { scenario, profile, startedAt } of kept) {
    print(
      `Kept the valid baseline of ${scenario}, ${profile}, of ${minute(startedAt)}: an invalid run does not replace ` +
        'it. The document tells of this run and why it is invalid.\n',
    )
  }
}

/** The same of those that baselines are about and that are complete, for a run whose load may have been set to less than its profile's. */
export async function writeComplete(results: readonly LoadtestResult[], print: (text: string) => void): Promise<void> {
  const kept = results.filter((result) => whyNotKept(result) === undefined)
  for (const result of results) {
    const why = whyNotKept(result)
    if (why !== undefined) print(`Not kept as a baseline: ${result.scenario} ${why}.\n`)
  }
  if (kept.length > 0) await writeAll(kept, print)
}

function whyNotKept(result: LoadtestResult): string | undefined {
  if (!SCENARIOS[result.scenario].inBaselines) return 'is not among them'
  const missing = missingOf(result)
  return missing === undefined ? undefined : `is not complete (${missing})`
}
