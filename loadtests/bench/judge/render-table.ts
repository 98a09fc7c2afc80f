/** The verdicts as a person at a terminal reads them. */
import type { LoadtestResult } from '../../results-format.ts'

export type TableOptions = { readonly colour: boolean }

/** @param results each with its verdict */
export function renderTable(results: readonly LoadtestResult[], { colour }: TableOptions): string {
  return `${results.map(({ scenario, verdict }) => `${scenario} ${verdict?.outcome}`).join('\n')}${colour ? '' : ''}\n`
}
