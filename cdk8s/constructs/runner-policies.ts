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
import type { LoadtestsValues } from '../chart-values/loadtests-values.ts'
import { appended } from '../values/compute.ts'
import { kubeObject } from '../values/kube-object.ts'
import { Conditional, when } from '../values/when.ts'
import { allow, DNS, pods, tcp } from './allow.ts'
import type { Component } from './component.ts'
import { given } from './given.ts'

/** Which pods of runs they are, and how objects about those are called. */
export type RunPods = {
  readonly name: string
  readonly selector: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

/** Those of one TestRun alone. */
export const ofTestRun = (name: string, scenario: ScenarioName): RunPods => ({
  name,
  selector: { [OPERATOR_LABEL]: name },
  labels: { ...LOADTEST_LABELS, [SCENARIO_LABEL]: scenario },
})

/**
 * Denies the pods of runs everything, then allows the paths that are needed. The initializer, which only reads the script,
 * needs none.
 */
export class RunnerPolicies extends Construct {
  constructor(scope: Construct, { name, selector, labels }: RunPods, values: LoadtestsValues) {
    super(scope, 'network-policies')
    const { networkPolicies, metricsUrl } = values
    const enabled = new Conditional(this, 'enabled', networkPolicies.enabled)
    const part = (part: Part): Component => ({
      name: `${name}-${part}`,
      selector: { ...selector, [PART_LABEL]: part },
      labels: { ...labels, [PART_LABEL]: part },
    })
    const [runner, starter] = [part('runner'), part('starter')]

    kubeObject(enabled, 'deny', k8s.KubeNetworkPolicy, {
      metadata: { name: `${name}-deny`, labels },
      spec: { podSelector: { matchLabels: selector }, policyTypes: ['Ingress', 'Egress'] },
    })
    allow(enabled, runner, {
      ingress: [
        {
          from: appended<k8s.NetworkPolicyPeer>([pods(starter), pods(runner)], networkPolicies.runnersFrom),
          ports: tcp(RUNNER_PORT),
        },
      ],
      // Where the API and Prometheus are is a value: they may be anywhere.
      egress: [
        DNS,
        // They wait for each other, to begin together.
        { to: [pods(runner)], ports: tcp(RUNNER_PORT) },
        { ports: tcp(networkPolicies.apiPort) },
        when(given(metricsUrl), { ports: tcp(networkPolicies.metricsPort) }),
      ],
    })
    allow(enabled, starter, { egress: [DNS, { to: [pods(runner)], ports: tcp(RUNNER_PORT) }] })
  }
}
