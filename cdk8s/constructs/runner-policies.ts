import type { ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import {
  LOADTEST_LABELS,
  OPERATOR_LABEL,
  PART_LABEL,
  type Part,
  RUNNER_PORT,
  SCENARIO_LABEL,
} from '../../loadtests/kubernetes/test-run.ts'
import type { LoadtestsValues } from '../charts/loadtests-values.ts'
import { appended } from '../values/compute.ts'
import { kubeObject } from '../values/kube-object.ts'
import { Conditional, when } from '../values/when.ts'
import { allow, DNS, pods, tcp } from './allow.ts'
import type { Component } from './component.ts'
import { given } from './given.ts'

/**
 * Denies the pods of one TestRun everything, then allows the paths that are needed. The initializer, which only reads
 * the script, needs none.
 */
export class RunnerPolicies extends Construct {
  constructor(scope: Construct, testRun: string, scenario: ScenarioName, values: LoadtestsValues) {
    super(scope, 'network-policies')
    const { networkPolicies, metricsUrl } = values
    const enabled = new Conditional(this, 'enabled', networkPolicies.enabled)
    const labels = { ...LOADTEST_LABELS, [SCENARIO_LABEL]: scenario }
    // Those of this run alone: pods of one that `bench run` made may ask another API.
    const ofRun = { [OPERATOR_LABEL]: testRun }
    const part = (name: Part): Component => ({
      name: `${testRun}-${name}`,
      selector: { ...ofRun, [PART_LABEL]: name },
      labels: { ...labels, [PART_LABEL]: name },
    })
    const [runner, starter] = [part('runner'), part('starter')]

    kubeObject(enabled, 'deny', k8s.KubeNetworkPolicy, {
      metadata: { name: `${testRun}-deny`, labels },
      spec: { podSelector: { matchLabels: ofRun }, policyTypes: ['Ingress', 'Egress'] },
    })
    allow(enabled, runner, {
      ingress: [
        {
          from: appended<k8s.NetworkPolicyPeer>([pods(starter)], networkPolicies.runnersFrom),
          ports: tcp(RUNNER_PORT),
        },
      ],
      // Where the API and Prometheus are is a value: they may be anywhere.
      egress: [
        DNS,
        { ports: tcp(networkPolicies.apiPort) },
        when(given(metricsUrl), { ports: tcp(networkPolicies.metricsPort) }),
      ],
    })
    allow(enabled, starter, { egress: [DNS, { to: [pods(runner)], ports: tcp(RUNNER_PORT) }] })
  }
}
