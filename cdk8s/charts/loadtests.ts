/** The chart charts/hopwhistle-loadtests: a TestRun of k6-operator for each scenario, with its scripts. */
import { DEMO_API_KEY } from '@hopwhistle/contract/demo.ts'
import { SCENARIO_NAMES, type ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { k8s } from 'cdk8s-plus-27'
import type { Construct } from 'constructs'
import { REMOTE_WRITE_URL, remoteWrite } from '../../loadtests/kubernetes/remote-write.ts'
import { scenarioScripts } from '../../loadtests/kubernetes/scenario-scripts.ts'
import { LOADTEST_LABELS, LONGEST_NAME, SCENARIO_LABEL, testRun } from '../../loadtests/kubernetes/test-run.ts'
import { given } from '../constructs/given.ts'
import { RunnerPolicies } from '../constructs/runner-policies.ts'
import { empty, fileContent, not, replaced } from '../values/compute.ts'
import { RELEASE } from '../values/define.ts'
import type { HelmChart } from '../values/helm-chart.ts'
import { customObject, kubeObject } from '../values/kube-object.ts'
import { Refusal } from '../values/refusal.ts'
import { Conditional, when } from '../values/when.ts'
import { flagOf, LOADTESTS, type LoadtestsValues } from './loadtests-values.ts'
import { VERSION } from './versions.ts'

export const loadtests: HelmChart<typeof LOADTESTS> = {
  name: 'hopwhistle-loadtests',
  version: VERSION,
  appVersion: VERSION,
  description: 'Load tests of Hopwhistle, for k6-operator',
  title:
    'Values of the chart hopwhistle-loadtests. Written by npm run charts; values.schema.json says what each may be.',
  values: LOADTESTS,
  files: Object.fromEntries(
    SCENARIO_NAMES.flatMap((scenario) =>
      Object.entries(scenarioScripts(scenario)).map(([name, text]) => [file(name), text]),
    ),
  ),
  build(chart, values) {
    for (const scenario of SCENARIO_NAMES) {
      scenarioObjects(new Conditional(chart, scenario, values.scenarios[flagOf(scenario)]), scenario, values)
    }
  },
}

/** Files of the same name are the same in every scenario. */
function file(name: string): string {
  return `files/${name}`
}

function scenarioObjects(scope: Construct, scenario: ScenarioName, values: LoadtestsValues): void {
  const name = `${RELEASE.name}-${scenario}`
  new Refusal(
    scope,
    'name',
    not(empty(replaced(name, `^.{0,${LONGEST_NAME}}$`, ''))),
    `k6-operator cannot run a TestRun called ${name}: it makes names of it that are too long for Kubernetes. ` +
      `It may have ${LONGEST_NAME} characters; choose a shorter name for the release.`,
  )
  const { existingSecret } = values.apiKey
  kubeObject(scope, 'scripts', k8s.KubeConfigMap, {
    metadata: { name, labels: { ...LOADTEST_LABELS, [SCENARIO_LABEL]: scenario } },
    data: Object.fromEntries(
      Object.keys(scenarioScripts(scenario)).map((script) => [script, fileContent(file(script))]),
    ),
  })
  new RunnerPolicies(scope, name, scenario, values)
  const { metricsUrl } = values
  const sent = remoteWrite({ [REMOTE_WRITE_URL]: `${metricsUrl}` }, { runId: name, scenario })
  const asked = given(metricsUrl)
  const run = testRun({
    name,
    scenario,
    profile: values.profile,
    parallelism: values.parallelism,
    apiUrl: values.apiUrl,
    tenantId: values.tenantId,
    apiKeyVariable: when(
      empty(existingSecret),
      { name: 'API_KEY', value: DEMO_API_KEY },
      { name: 'API_KEY', valueFrom: { secretKeyRef: { name: existingSecret, key: 'key' } } },
    ),
    configMap: name,
    runId: scenario,
    images: values.images,
    runnerResources: values.runnerResources,
    runnerNodes: values.runnerNodes,
    args: sent.args.map((argument) => when(asked, argument)),
    runnerEnv: Object.entries(sent.env).map(([name, value]) => when(asked, { name, value })),
  })
  customObject(scope, 'test-run', run)
}
