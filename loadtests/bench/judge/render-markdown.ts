/** The verdicts as Markdown, for the summary of a CI job. */
import type { LoadtestResult } from '../../results-format.ts'

/** @param results each with its verdict */
export function renderMarkdown(results: readonly LoadtestResult[]): string {
  return `${results.map(({ scenario, verdict }) => `- ${scenario}: ${verdict?.outcome}`).join('\n')}\n`
}
