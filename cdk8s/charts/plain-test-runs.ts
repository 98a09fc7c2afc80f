/**
 * Each scenario as one file for `kubectl apply`: what the chart makes of its defaults, for the platform as `make deploy`
 * installs it.
 */
import { SCENARIO_NAMES } from '@hopwhistle/contract/scenarios.ts'
import { stringify } from 'yaml'
import { STORED_PODS_LABEL } from '../../loadtests/kubernetes/stored-pods.ts'
import { flagOf } from '../chart-values/loadtests-values.ts'
import { synthesize } from '../values/helm-chart.ts'
import { loadtests } from './loadtests.ts'

const RELEASE_NAME = 'hopwhistle'

/** @returns the text of each file by its name, `call-state-updates.yaml` */
export function plainTestRuns(): ReadonlyMap<string, string> {
  return new Map(
    SCENARIO_NAMES.map((scenario) => {
      const values = { scenarios: Object.fromEntries(SCENARIO_NAMES.map((one) => [flagOf(one), one === scenario])) }
      const objects = synthesize(loadtests, { name: RELEASE_NAME, values }).filter(
        // For runs by command.
        ({ metadata }) => !(STORED_PODS_LABEL in ((metadata as { readonly labels?: object }).labels ?? {})),
      )
      const name = `${RELEASE_NAME}-${scenario}`
      const head =
        `# ${scenario}: written by npm run charts.\n#\n` +
        `#   kubectl apply -f loadtests/testruns/${scenario}.yaml\n` +
        `#   npm run bench -- collect ${name}    waits for its end, and says what it proved\n` +
        `#   kubectl delete -f loadtests/testruns/${scenario}.yaml    before it is applied again\n`
      const documents = objects.map((object) => `---\n${stringify(object, { lineWidth: 0 })}`)
      return [`${scenario}.yaml`, head + documents.join('')]
    }),
  )
}
