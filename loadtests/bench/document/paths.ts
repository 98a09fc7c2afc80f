/** Where the baselines and what is written from them lie. Tests give folders of their own. */
import { fileURLToPath } from 'node:url'

export type Places = {
  /** One JSON for each environment. */
  readonly baselines: string
  readonly document: string
  /** One file for each environment, with a line for each run. */
  readonly history: string
  readonly historyDocument: string
  readonly precisionDocument: string
  /** One SVG for each scenario, and one for its history. */
  readonly charts: string
}

const at = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

export const PLACES: Places = {
  baselines: at('loadtests/baselines'),
  document: at('docs/performance-baselines.md'),
  history: at('loadtests/baselines/history'),
  historyDocument: at('docs/history.md'),
  precisionDocument: at('docs/history-precision.md'),
  charts: at('docs/charts'),
}
