import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { MonitoringValues } from '../../chart-values/monitoring-values.ts'
import { appended, not } from '../../values/compute.ts'
import { RELEASE } from '../../values/define.ts'
import { kubeObject } from '../../values/kube-object.ts'
import { Conditional, when } from '../../values/when.ts'
import { API_SERVER, allow, DNS, pods, tcp } from '../allow.ts'
import { ADMIN_PORT } from '../api.ts'
import { given } from '../given.ts'
import { KUBELET_PORT } from './cadvisor.ts'
import { ALERTMANAGER, GRAFANA, PORTS, PROMETHEUS, postgresExporter, REDIS_EXPORTER, STATE_METRICS } from './names.ts'

const WEBHOOKS = [443, 587]

/** Denies everything, then allows the paths that are needed. */
export class MonitoringPolicies extends Construct {
  constructor(scope: Construct, values: MonitoringValues) {
    super(scope, 'network-policies')
    const { networkPolicies, release } = values
    const { cadvisor, stateMetrics } = values.kubernetes
    const enabled = new Conditional(this, 'enabled', networkPolicies.enabled)
    const instance = {
      'app.kubernetes.io/instance': `${RELEASE.name}`,
      'app.kubernetes.io/part-of': 'hopwhistle-monitoring',
    }
    kubeObject(enabled, 'deny', k8s.KubeNetworkPolicy, {
      metadata: { name: `${RELEASE.name}-monitoring-deny`, labels: PROMETHEUS.labels },
      spec: { podSelector: { matchLabels: instance }, policyTypes: ['Ingress', 'Egress'] },
    })

    const postgresExporters = ['primary', 'replica'].map(postgresExporter)
    const scrapers = appended<k8s.NetworkPolicyPeer>([pods(PROMETHEUS)], networkPolicies.scrapersFrom)
    // Where the servers are is a value: they may be anywhere.
    for (const exporter of postgresExporters) {
      allow(enabled, exporter, {
        ingress: [{ from: scrapers, ports: tcp(PORTS.postgresExporter) }],
        egress: [DNS, { ports: tcp(5432) }],
      })
    }
    allow(enabled, REDIS_EXPORTER, {
      ingress: [{ from: scrapers, ports: tcp(PORTS.redisExporter) }],
      egress: [DNS, { ports: tcp(6379) }],
    })

    const alone = new Conditional(enabled, 'alone', not(values.operator.enabled))
    const users = when(given(networkPolicies.usersFrom), networkPolicies.usersFrom)
    const api = { 'app.kubernetes.io/instance': release, 'app.kubernetes.io/component': 'api' }
    allow(alone, PROMETHEUS, {
      ingress: [
        { from: users, ports: tcp(PORTS.prometheus) },
        { from: [pods(GRAFANA)], ports: tcp(PORTS.prometheus) },
      ],
      egress: [
        DNS,
        { to: [{ podSelector: { matchLabels: api } }], ports: tcp(ADMIN_PORT) },
        { to: postgresExporters.map(pods), ports: tcp(PORTS.postgresExporter) },
        { to: [pods(REDIS_EXPORTER)], ports: tcp(PORTS.redisExporter) },
        { to: [pods(ALERTMANAGER)], ports: tcp(PORTS.alertmanager) },
        when(cadvisor.enabled, { ports: tcp(KUBELET_PORT, ...API_SERVER) }),
        when(stateMetrics.enabled, { to: [pods(STATE_METRICS)], ports: tcp(PORTS.stateMetrics) }),
      ],
    })
    allow(new Conditional(alone, 'states', stateMetrics.enabled), STATE_METRICS, {
      ingress: [{ from: [pods(PROMETHEUS)], ports: tcp(PORTS.stateMetrics) }],
      egress: [DNS, { ports: tcp(...API_SERVER) }],
    })
    allow(alone, ALERTMANAGER, {
      ingress: [{ from: [pods(PROMETHEUS)], ports: tcp(PORTS.alertmanager) }],
      egress: [DNS, { ports: tcp(...WEBHOOKS) }],
    })
    allow(alone, GRAFANA, {
      ingress: [{ from: users, ports: tcp(PORTS.grafana) }],
      egress: [DNS, { to: [pods(PROMETHEUS)], ports: tcp(PORTS.prometheus) }, { ports: tcp(...WEBHOOKS) }],
    })
  }
}
