import type { ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { scenarioScripts } from './scenario-scripts.ts'
import { LOADTEST_LABELS, SCENARIO_LABEL } from './test-run.ts'

/** Of a ConfigMap that belongs to a TestRun. */
export const metadataOf = (scenario: string, name: string, namespace?: string) => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  labels: { ...LOADTEST_LABELS, [SCENARIO_LABEL]: scenario },
})

/** The ConfigMap that a TestRun of the scenario runs. */
export function scriptConfigMap(scenario: ScenarioName, name: string, namespace?: string) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(scenario, name, namespace),
    data: scenarioScripts(scenario),
  }
}
