/** What the figures of a record mean. */
import { SCENARIO_NAMES, SCENARIOS, type ScenarioName, TRAFFIC } from '@hopwhistle/contract/scenarios.ts'
import { figure, number } from '@hopwhistle/platform/document/figures.ts'

/** Of a script, its name. */
export const scenarioTitle = (scenario: string): string => SCENARIOS[scenario as ScenarioName]?.title ?? scenario

/** The scenarios of runs: those of the catalogue in its order, then scripts. */
export function scenariosIn(runs: readonly { readonly scenario: string }[]): readonly string[] {
  const there = new Set(runs.map(({ scenario }) => scenario))
  return [...new Set<string>([...SCENARIO_NAMES, ...there])].filter((name) => there.has(name))
}

export type HistoryMetric = {
  readonly label: string
  readonly unit: string
  /** `neither`: it says something of the machine, not of the software. */
  readonly better: 'higher' | 'lower' | 'neither'
}

const COMPONENTS: Readonly<Record<string, string>> = { api: 'the API', postgres: 'Postgres', redis: 'Redis', k6: 'k6' }

/** @example historyMetric('update_latency.p95') // { label: 'update latency p95', unit: 'ms', better: 'lower' } */
export function historyMetric(name: string): HistoryMetric {
  const [what = '', part] = name.split('.')
  if (what === 'rate') return { label: `rate${ofTraffic(part)}`, unit: '/s', better: 'higher' }
  if (what === 'success') return { label: `success rate${ofTraffic(part)}`, unit: '%', better: 'higher' }
  if (what === 'delivery') return { label: 'delivery rate', unit: '%', better: 'higher' }
  if (what === 'cpu') return { label: `CPU of ${COMPONENTS[part ?? ''] ?? part}`, unit: 'cores', better: 'lower' }
  if (what === 'machine_score') return { label: 'machine score', unit: '/s', better: 'neither' }
  return { label: `${what.replaceAll('_', ' ')} ${part}`, unit: 'ms', better: 'lower' }
}

const ofTraffic = (kind: string | undefined): string =>
  kind !== undefined && kind in TRAFFIC ? ` of ${TRAFFIC[kind as keyof typeof TRAFFIC].many}` : ''

/** `8.3 ms`, `99.98 %`, `505 /s`. */
export const figureText = (value: number, { unit }: HistoryMetric): string =>
  `${unit === '%' && value < 100 ? number(value, 2) : figure(value)} ${unit}`
