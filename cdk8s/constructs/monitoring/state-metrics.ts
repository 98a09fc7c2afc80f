import { Construct } from 'constructs'
import type { MonitoringValues } from '../../chart-values/monitoring-values.ts'
import { RELEASE } from '../../values/define.ts'
import { toExpression, Value } from '../../values/value.ts'
import { imageOf } from '../pod.ts'
import { grant, serviceAccount } from '../rights.ts'
import { SinglePod } from '../single-pod.ts'
import { JOBS, PORTS, STATE_METRICS } from './names.ts'

const NOBODY = 65534
const RESOURCES = [
  { apiGroups: [''], resources: ['pods'] },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'] },
  { apiGroups: ['batch'], resources: ['jobs'] },
]

/** kube-state-metrics, of this namespace alone: limits and restarts of pods, autoscalers, and the Jobs of load tests. */
export class StateMetrics extends Construct {
  constructor(scope: Construct, values: MonitoringValues) {
    super(scope, 'state-metrics')
    const { image, resources } = values.kubernetes.stateMetrics
    const { name } = STATE_METRICS
    serviceAccount(this, STATE_METRICS)
    grant(
      this,
      STATE_METRICS,
      RESOURCES.map((rule) => ({ ...rule, verbs: ['list', 'watch'] })),
    )
    new SinglePod(this, 'pod', {
      component: STATE_METRICS,
      values,
      ofKind: values.kubernetes.stateMetrics.pod,
      user: NOBODY,
      port: PORTS.stateMetrics,
      serviceAccount: { name: new Value<string>(toExpression(name)), automount: true },
      container: {
        image: imageOf(values, image),
        args: [
          `--namespaces=${RELEASE.namespace}`,
          `--resources=${RESOURCES.flatMap((rule) => rule.resources).join(',')}`,
          `--port=${PORTS.stateMetrics}`,
        ],
        resources,
        readinessProbe: { httpGet: { path: '/healthz', port: 'http' } },
      },
    })
  }
}

/** Its labels say of which object a metric is, and are kept. */
export const stateMetricsJob = () => ({
  job_name: JOBS.stateMetrics,
  honor_labels: true,
  dns_sd_configs: [{ names: [STATE_METRICS.name], type: 'A', port: PORTS.stateMetrics, refresh_interval: '5s' }],
})
