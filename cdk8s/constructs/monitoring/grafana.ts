import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { MonitoringValues } from '../../chart-values/monitoring-values.ts'
import { empty, fileContent, sha256 } from '../../values/compute.ts'
import { kubeObject } from '../../values/kube-object.ts'
import { when } from '../../values/when.ts'
import { refuseNodePort } from '../node-port.ts'
import { imageOf } from '../pod.ts'
import { scratch } from '../restricted.ts'
import { SinglePod } from '../single-pod.ts'
import { secret } from './exporters.ts'
import { credentialsIn, GRAFANA, PORTS, PROMETHEUS } from './names.ts'
import { rulesFile } from './prometheus.ts'

const USER = 472
const PASSWORD = 'GF_SECURITY_ADMIN_PASSWORD'
/** What it reads at its start, by the path below its folder provisioning. */
export const PROVISIONING = ['datasources/hopwhistle.yaml', 'dashboards/hopwhistle.yaml'] as const
/** The same for alerting, without the rules, which exist in several scales. */
export const ALERTING = ['alerting/contact-points.yaml', 'alerting/notification-policy.yaml'] as const
const RULES = 'alerting/rules.yaml'
/** Of dashboards/rules. */
export const GRAFANA_RULES = 'grafana'
/** Nobody listens there. */
const NOBODY = 'http://127.0.0.1:9'

/** Grafana with the boards, the data source and the alerts of dashboards/. */
export class Grafana extends Construct {
  constructor(scope: Construct, values: MonitoringValues, boards: readonly string[]) {
    super(scope, 'grafana')
    const { grafana } = values
    const { alerts } = grafana
    const { name, labels } = GRAFANA
    kubeObject(this, 'provisioning', k8s.KubeConfigMap, {
      metadata: { name: `${name}-provisioning`, labels },
      data: {
        ...Object.fromEntries(PROVISIONING.map((file) => [keyOf(file), fileContent(`files/provisioning/${file}`)])),
        ...Object.fromEntries(
          ALERTING.map((file) => [keyOf(file), when(alerts.enabled, fileContent(`files/provisioning/${file}`))]),
        ),
        [keyOf(RULES)]: when(alerts.enabled, rulesFile(values, GRAFANA_RULES)),
      },
    })
    const folders = [scratch('data', '/var/lib/grafana', '256Mi'), scratch('tmp', '/tmp', '64Mi')]
    refuseNodePort(
      this,
      { path: 'grafana.serviceType', value: grafana.serviceType },
      { path: 'grafana.nodePort', value: grafana.nodePort },
    )
    new SinglePod(this, 'pod', {
      component: GRAFANA,
      values,
      ofKind: grafana.pod,
      user: USER,
      port: PORTS.grafana,
      // It reads them when it starts.
      annotations: { 'checksum/alerts': sha256(rulesFile(values, GRAFANA_RULES)) },
      service: { type: grafana.serviceType, nodePort: grafana.nodePort },
      container: {
        image: imageOf(values, grafana.image),
        env: [
          when(
            empty(grafana.existingSecret),
            secret(PASSWORD, credentialsIn(values, grafana.existingSecret), 'grafana-password'),
            secret(PASSWORD, grafana.existingSecret, 'admin-password'),
          ),
          { name: 'GF_AUTH_ANONYMOUS_ENABLED', value: 'false' },
          { name: 'GF_ANALYTICS_REPORTING_ENABLED', value: 'false' },
          { name: 'GF_ANALYTICS_CHECK_FOR_UPDATES', value: 'false' },
          { name: 'GF_LOG_MODE', value: 'console' },
          { name: 'PROMETHEUS_URL', value: `http://${PROMETHEUS.name}:${PORTS.prometheus}` },
          { name: 'HOPWHISTLE_DASHBOARDS', value: '/dashboards' },
          { name: 'GF_SERVER_ROOT_URL', value: `${grafana.url}` },
          ...['page', 'ticket'].map((severity) => {
            const name = `HOPWHISTLE_${severity.toUpperCase()}_WEBHOOK`
            const called = secret(name, alerts.existingSecret, `${severity}-webhook`)
            return when(empty(alerts.existingSecret), { name, value: NOBODY }, called)
          }),
        ],
        resources: grafana.resources,
        startupProbe: { httpGet: { path: '/api/health', port: 'http' }, periodSeconds: 2, failureThreshold: 150 },
        readinessProbe: { httpGet: { path: '/api/health', port: 'http' } },
        volumeMounts: [
          { name: 'boards', mountPath: '/dashboards', readOnly: true },
          ...PROVISIONING.map(mountOf),
          ...[...ALERTING, RULES].map((file) => when(alerts.enabled, mountOf(file))),
          ...folders.map(({ mount }) => mount),
        ],
      },
      volumes: [
        { name: 'boards', projected: { sources: boards.map((board) => ({ configMap: { name: board } })) } },
        { name: 'provisioning', configMap: { name: `${name}-provisioning` } },
        ...folders.map(({ volume }) => volume),
      ],
    })
  }
}

/** In the ConfigMap, whose keys have no slash. */
const keyOf = (file: string): string => file.replace('/', '.')

const mountOf = (file: string) => ({
  name: 'provisioning',
  mountPath: `/etc/grafana/provisioning/${file}`,
  subPath: keyOf(file),
  readOnly: true,
})
