import type { ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { scenarioScripts } from './scenario-scripts.ts'
import { LOADTEST_LABELS, SCENARIO_LABEL } from './test-run.ts'

/** The ConfigMap that a TestRun of the scenario runs. */
export function scriptConfigMap(scenario: ScenarioName, name: string, namespace?: string) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...LOADTEST_LABELS, [SCENARIO_LABEL]: scenario },
    },
    data: scenarioScripts(scenario),
  }
}
