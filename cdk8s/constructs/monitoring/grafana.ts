import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { MonitoringValues } from '../../charts/monitoring-values.ts'
import { choose, empty, fileContent, generated, type Operand } from '../../values/compute.ts'
import { kubeObject } from '../../values/kube-object.ts'
import { Conditional } from '../../values/when.ts'
import { scratch } from '../restricted.ts'
import { SinglePod } from '../single-pod.ts'
import { secret } from './exporters.ts'
import { GRAFANA, PORTS, PROMETHEUS } from './names.ts'

const USER = 472
export const PROVISIONING = ['datasources', 'dashboards'] as const

/** Grafana with the boards and the data source of dashboards/. */
export class Grafana extends Construct {
  constructor(scope: Construct, values: MonitoringValues, boards: readonly string[]) {
    super(scope, 'grafana')
    const { grafana } = values
    const { name, labels } = GRAFANA
    const own = new Conditional(this, 'own-password', empty(grafana.existingSecret))
    kubeObject(own, 'secret', k8s.KubeSecret, {
      metadata: { name, labels, annotations: { 'helm.sh/resource-policy': 'keep' } },
      data: { 'admin-password': generated(name, 'admin-password') },
    })
    kubeObject(this, 'provisioning', k8s.KubeConfigMap, {
      metadata: { name: `${name}-provisioning`, labels },
      data: Object.fromEntries(
        PROVISIONING.map((kind) => [`${kind}.yaml`, fileContent(`files/provisioning/${kind}/hopwhistle.yaml`)]),
      ),
    })
    const folders = [scratch('data', '/var/lib/grafana', '256Mi'), scratch('tmp', '/tmp', '64Mi')]
    const password = choose<string>(empty(grafana.existingSecret), name, grafana.existingSecret as Operand<string>)
    new SinglePod(this, 'pod', {
      component: GRAFANA,
      values,
      user: USER,
      port: PORTS.grafana,
      service: { type: grafana.serviceType, nodePort: grafana.nodePort },
      container: {
        image: grafana.image,
        env: [
          secret('GF_SECURITY_ADMIN_PASSWORD', password, 'admin-password'),
          { name: 'GF_AUTH_ANONYMOUS_ENABLED', value: 'false' },
          { name: 'GF_ANALYTICS_REPORTING_ENABLED', value: 'false' },
          { name: 'GF_ANALYTICS_CHECK_FOR_UPDATES', value: 'false' },
          { name: 'GF_LOG_MODE', value: 'console' },
          { name: 'PROMETHEUS_URL', value: `http://${PROMETHEUS.name}:${PORTS.prometheus}` },
          { name: 'HOPWHISTLE_DASHBOARDS', value: '/dashboards' },
        ],
        resources: grafana.resources,
        startupProbe: { httpGet: { path: '/api/health', port: 'http' }, periodSeconds: 2, failureThreshold: 150 },
        readinessProbe: { httpGet: { path: '/api/health', port: 'http' } },
        volumeMounts: [
          { name: 'boards', mountPath: '/dashboards', readOnly: true },
          ...PROVISIONING.map((kind) => ({
            name: 'provisioning',
            mountPath: `/etc/grafana/provisioning/${kind}/hopwhistle.yaml`,
            subPath: `${kind}.yaml`,
            readOnly: true,
          })),
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
