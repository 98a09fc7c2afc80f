/** The chart charts/hopwhistle-loadtests: a TestRun of k6-operator for each scenario, with its scripts. */
import { SCENARIO_NAMES, type ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { k8s } from 'cdk8s-plus-27'
import type { Construct } from 'constructs'
import { REMOTE_WRITE_URL, remoteWrite } from '../../loadtests/kubernetes/remote-write.ts'
import { scenarioScripts } from '../../loadtests/kubernetes/scenario-scripts.ts'
import {
  LOADTEST_LABELS,
  LONGEST_NAME,
  type Part,
  partLabels,
  SCENARIO_LABEL,
  testRun,
} from '../../loadtests/kubernetes/test-run.ts'
import { flagOf, LOADTESTS, type LoadtestsValues } from '../chart-values/loadtests-values.ts'
import { VERSION } from '../chart-values/versions.ts'
import { given } from '../constructs/given.ts'
import { apiKeyVariable, podOf } from '../constructs/load-test-pods.ts'
import { imageOf } from '../constructs/pod.ts'
import { Reports } from '../constructs/reports.ts'
import { ofTestRun, RunnerPolicies } from '../constructs/runner-policies.ts'
import { Schedule } from '../constructs/schedule.ts'
import { StoredPods } from '../constructs/stored-pods.ts'
import { fileContent, nameWithin } from '../values/compute.ts'
import { RELEASE } from '../values/define.ts'
import type { HelmChart } from '../values/helm-chart.ts'
import { customObject, kubeObject } from '../values/kube-object.ts'
import { Conditional, each, when } from '../values/when.ts'

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
    const stored = new StoredPods(chart, values)
    new RunnerPolicies(stored, stored.pods, values)
    new Schedule(new Conditional(chart, 'schedule', values.schedule.enabled), values)
    new Reports(new Conditional(chart, 'reports', values.reports.enabled), values)
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
  const name = `${nameWithin(RELEASE.name, LONGEST_NAME - scenario.length - 1)}-${scenario}`
  kubeObject(scope, 'scripts', k8s.KubeConfigMap, {
    metadata: { name, labels: { ...LOADTEST_LABELS, [SCENARIO_LABEL]: scenario } },
    data: Object.fromEntries(
      Object.keys(scenarioScripts(scenario)).map((script) => [script, fileContent(file(script))]),
    ),
  })
  new RunnerPolicies(scope, ofTestRun(name, scenario), values)
  const { metricsUrl } = values
  const sent = remoteWrite({ [REMOTE_WRITE_URL]: `${metricsUrl}` }, { runId: name, scenario })
  const asked = given(metricsUrl)
  const part = (part: Part) => {
    const own = podOf(values, part, partLabels(scenario, part))
    return { ...own, moreEnv: [each(own.container.env)] }
  }
  const run = testRun({
    name,
    scenario,
    profile: values.profile,
    parallelism: values.parallelism,
    apiUrl: values.apiUrl,
    tenantId: values.tenantId,
    apiKeyVariable: apiKeyVariable(values),
    configMap: name,
    runId: scenario,
    images: { k6: imageOf(values, values.images.k6), starter: imageOf(values, values.images.starter) },
    imagePullPolicy: values.imagePullPolicy,
    runnerResources: values.runnerResources,
    initializerResources: values.initializerResources,
    starterResources: values.starterResources,
    pods: { initializer: part('initializer'), starter: part('starter'), runner: part('runner') },
    args: sent.args.map((argument) => when(asked, argument)),
    runnerEnv: Object.entries(sent.env).map(([name, value]) => when(asked, { name, value })),
  })
  customObject(scope, 'test-run', run)
}
