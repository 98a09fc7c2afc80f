/** Where the baselines and what is written from them lie. Tests give folders of their own. */
import { fileURLToPath } from 'node:url'

export type Places = {
  /** One JSON for each environment. */
  readonly baselines: string
  readonly document: string
  /** One SVG for each scenario. */
  readonly charts: string
}

const at = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

export const PLACES: Places = {
  baselines: at('loadtests/baselines'),
  document: at('docs/performance-baselines.md'),
  charts: at('docs/charts'),
}
