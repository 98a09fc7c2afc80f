/** The end of every scenario: writes the result and says it in a few lines. Runs inside k6, in `handleSummary`. */
import exec from 'k6/execution'
import type { PhaseSpan } from './loadtests.results-format.ts'
import { type K6Summary, resultFileName, resultOf } from './lib.result.ts'
import { toLogLines } from './lib.result-lines.ts'
import type { LiveSettings, RequestSettings } from './lib.settings.ts'
import { summaryText } from './lib.summary-text.ts'
import type { RunContext } from './lib.k6.run-context.ts'

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
export function finish(
  settings: RequestSettings | LiveSettings,
  data: SummaryData,
  recorded: Recorded,
): Record<string, string> {
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
  const folder = settings.resultsDir ?? folderOf(import.meta.resolve('../../../results'))
  const file = `${folder}/${resultFileName(settings, segment)}`
  return { [file]: `${JSON.stringify(result)}\n`, stdout: summaryText(result, file) }
}

/** The path of a file URL; `file:///C:/…` on Windows. */
const folderOf = (url: string): string => decodeURI(url).replace(/^file:\/\/(?:\/(?=[A-Za-z]:))?/, '')
