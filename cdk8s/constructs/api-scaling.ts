import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import { both, greater } from '../values/compute.ts'
import { kubeObject } from '../values/kube-object.ts'
import { Refusal } from '../values/refusal.ts'
import { Conditional, when } from '../values/when.ts'
import { API } from './api.ts'

/** How many pods the API has: by load, and never so few at once that it is away. */
export class ApiScaling extends Construct {
  constructor(scope: Construct, { api }: HopwhistleValues) {
    super(scope, 'api-scaling')
    const { name, selector, labels } = API
    const { autoscaling } = api

    kubeObject(this, 'disruption-budget', k8s.KubePodDisruptionBudget, {
      metadata: { name, labels },
      spec: {
        maxUnavailable: 1,
        selector: { matchLabels: selector },
        // A pod that is not ready serves nobody: a node may be drained of it.
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
      },
    })

    new Refusal(
      this,
      'fewest-above-most',
      both(autoscaling.enabled, greater(autoscaling.min, autoscaling.max)),
      `api.autoscaling.min is ${autoscaling.min} and api.autoscaling.max is ${autoscaling.max}: the fewest pods are more than the most.`,
    )
    const scaled = new Conditional(this, 'autoscaled', autoscaling.enabled)
    kubeObject(scaled, 'autoscaler', k8s.KubeHorizontalPodAutoscalerV2, {
      metadata: { name, labels },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
        minReplicas: autoscaling.min,
        maxReplicas: autoscaling.max,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: autoscaling.cpuPercent } },
          },
          when(autoscaling.requestsInFlight.enabled, {
            type: 'Pods',
            pods: {
              metric: { name: METRICS.httpInFlight },
              target: { type: 'AverageValue', averageValue: autoscaling.requestsInFlight.perPod },
            },
          }),
        ],
        behavior: {
          // Load comes at once and goes slowly; each pod that goes moves its live sockets to others.
          scaleUp: { stabilizationWindowSeconds: 0, policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
          scaleDown: { stabilizationWindowSeconds: 300, policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] },
        },
      },
    })
  }
}
