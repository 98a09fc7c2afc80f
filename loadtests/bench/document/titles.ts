import type { ScenarioName } from '@hopwhistle/contract/slos.ts'

/** How a scenario is called in headings. */
export const TITLES: Readonly<Record<ScenarioName, string>> = {
  'call-state-updates': 'Call state updates',
  'reporting-endpoints': 'Reporting endpoints',
  'redis-pubsub': 'Redis pub/sub throughput',
}
