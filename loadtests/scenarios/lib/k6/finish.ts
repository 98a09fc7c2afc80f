/** The end of every scenario: writes the result and says it in a few lines. Runs inside k6, in `handleSummary`. */
import exec from 'k6/execution'
import type { PhaseSpan } from '../../../results-format.ts'
import { isCompleteResult, keptText, missingOf, partialName } from '../complete-run.ts'
import { type K6Summary, resultFileName, resultOf } from '../result.ts'
import { toLogLines } from '../result-lines.ts'
import type { CommonSettings, Settings } from '../settings.ts'
import { summaryText } from '../summary-text.ts'
import type { RunContext } from './run-context.ts'

export type Recorded = {
  readonly phases: readonly PhaseSpan[]
  readonly counters: readonly string[]
  readonly trends: readonly string[]
}

type SummaryData = K6Summary & {
  readonly setup_data?: RunContext
  readonly state: { readonly testRunDurationMs: number }
}

/** @returns k6's map of files to write; standard output is one of them */
export function finish(settings: Settings, data: SummaryData, recorded: Recorded): Record<string, string> {
  const endedAt = Date.now()
  // Without setup data the test was stopped before it began; the result says so by having no samples.
  const { runId, startedAt } = data.setup_data ?? {
    runId: settings.runId ?? 'not-started',
    startedAt: endedAt - data.state.testRunDurationMs,
  }
  const segment: string | undefined = exec.test.options.executionSegment || undefined
  const result = resultOf(data, settings, { runId, startedAt, endedAt, segment, ...recorded })

  if (settings.resultsDir === '-') return { stdout: `${summaryText(result, '-')}${JSON.stringify(result)}\n` }
  if (settings.resultsDir === 'log') {
    return { stdout: `${[summaryText(result, 'this log'), ...toLogLines(JSON.stringify(result))].join('\n')}\n` }
  }
  const usual = `${resultsFolder(settings)}/${resultFileName(settings, segment)}`
  const missing = missingOf(result)
  const stays = missing !== undefined && usual === complete
  const file = stays ? partialName(usual) : usual
  const text = summaryText(result, file).concat(stays ? `  ${keptText(usual, file, missing)}\n` : '')
  return { [file]: `${JSON.stringify(result)}\n`, stdout: text }
}

/** The file of a complete run that this run may not replace with less. Files of several k6 are shares, never complete. */
let complete: string | undefined

/** Looks for it. Called while k6 starts: at its end it reads no files. */
export function keepComplete(settings: CommonSettings): void {
  // k6 makes the summary in another copy of its first VU.
  if (__VU !== 0 || settings.resultsDir === '-' || settings.resultsDir === 'log' || settings.parallelism > 1) return
  const file = `${resultsFolder(settings)}/${resultFileName(settings, undefined)}`
  try {
    if (isCompleteResult(open(file))) complete = file
  } catch {
    // There is none.
  }
}

const resultsFolder = ({ resultsDir }: CommonSettings): string =>
  resultsDir ?? folderOf(import.meta.resolve('../../../results'))

/** The path of a file URL; `file:///C:/…` on Windows. */
const folderOf = (url: string): string => decodeURI(url).replace(/^file:\/\/(?:\/(?=[A-Za-z]:))?/, '')
