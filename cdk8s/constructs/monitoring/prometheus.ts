import { GRAFANA_URL, RUNBOOK_LINK } from '@hopwhistle/contract/runbooks.ts'
import { PROMETHEUS_FLAGS } from '@hopwhistle/platform/settings/scrapes.ts'
import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { MonitoringValues } from '../../chart-values/monitoring-values.ts'
import { choose, empty, fileContent, not, replaced, sha256 } from '../../values/compute.ts'
import { RELEASE } from '../../values/define.ts'
import { kubeObject } from '../../values/kube-object.ts'
import type { Value } from '../../values/value.ts'
import { Conditional, when } from '../../values/when.ts'
import { ADMIN_PORT } from '../api.ts'
import { refuseOtherStorage } from '../fixed-storage.ts'
import { refuseNodePort } from '../node-port.ts'
import { imageOf } from '../pod.ts'
import { scratch } from '../restricted.ts'
import { SinglePod } from '../single-pod.ts'
import { CadvisorAccess } from './cadvisor.ts'
import { API_PODS, PORTS, PROMETHEUS } from './names.ts'
import { prometheusFile } from './prometheus-config.ts'

const NOBODY = 65534
const FIRST_GROUP = '$' + '{1}'
export const RULE_FILES = ['recording', 'alerts'] as const

/** A file of dashboards/rules, in the scale that the values name and with their addresses of the runbooks. */
export function rulesFile({ rules, runbooksUrl, grafana }: MonitoringValues, name: string): Value<string> {
  const file = fileContent(`files/rules/${rules}/${name}.yaml`)
  const onBoard = replaced(file, GRAFANA_URL, grafana.url)
  return choose<string>(empty(runbooksUrl), onBoard, replaced(file, RUNBOOK_LINK, `${runbooksUrl}/${FIRST_GROUP}.md`))
}

/** Prometheus, and the name by which it finds each API pod. */
export class Prometheus extends Construct {
  constructor(scope: Construct, values: MonitoringValues) {
    super(scope, 'prometheus')
    const { prometheus } = values
    const { cadvisor } = values.kubernetes
    new CadvisorAccess(new Conditional(this, 'reads', cadvisor.enabled))
    const { name, labels } = PROMETHEUS
    const config = prometheusFile(values)
    const temporary = scratch('tmp', '/tmp', '64Mi')

    kubeObject(this, 'api-pods', k8s.KubeService, {
      metadata: { name: API_PODS.name, labels: API_PODS.labels },
      spec: {
        clusterIP: 'None',
        // What starts or stops is worth watching too.
        publishNotReadyAddresses: true,
        selector: {
          'app.kubernetes.io/name': 'hopwhistle',
          'app.kubernetes.io/instance': values.release,
          'app.kubernetes.io/component': 'api',
        },
        ports: [{ name: 'admin', port: ADMIN_PORT }],
      },
    })
    kubeObject(this, 'config', k8s.KubeConfigMap, { metadata: { name, labels }, data: { 'prometheus.yml': config } })
    kubeObject(this, 'rules', k8s.KubeConfigMap, {
      metadata: { name: `${name}-rules`, labels },
      data: Object.fromEntries(RULE_FILES.map((file) => [`${file}.yaml`, rulesFile(values, file)])),
    })
    refuseNodePort(
      this,
      { path: 'prometheus.serviceType', value: prometheus.serviceType },
      { path: 'prometheus.nodePort', value: prometheus.nodePort },
    )
    refuseOtherStorage(this, PROMETHEUS, { path: 'prometheus.storage', value: prometheus.storage })
    new SinglePod(this, 'pod', {
      component: PROMETHEUS,
      values,
      ofKind: prometheus.pod,
      user: NOBODY,
      port: PORTS.prometheus,
      service: { type: prometheus.serviceType, nodePort: prometheus.nodePort },
      serviceAccount: { name: choose<string>(cadvisor.enabled, name, ''), automount: cadvisor.enabled },
      annotations: {
        'checksum/config': `${sha256(config)}`,
        'checksum/rules': sha256(`${rulesFile(values, 'recording')}${rulesFile(values, 'alerts')}`),
      },
      container: {
        image: imageOf(values, prometheus.image),
        args: [
          '--config.file=/etc/prometheus/prometheus.yml',
          '--storage.tsdb.path=/prometheus/data',
          `--storage.tsdb.retention.time=${prometheus.retention}`,
          ...PROMETHEUS_FLAGS,
        ],
        resources: prometheus.resources,
        startupProbe: { httpGet: { path: '/-/ready', port: 'http' }, periodSeconds: 2, failureThreshold: 300 },
        readinessProbe: { httpGet: { path: '/-/ready', port: 'http' } },
        livenessProbe: { httpGet: { path: '/-/healthy', port: 'http' }, failureThreshold: 6 },
        volumeMounts: [
          { name: 'config', mountPath: '/etc/prometheus/prometheus.yml', subPath: 'prometheus.yml', readOnly: true },
          { name: 'rules', mountPath: '/etc/prometheus/rules', readOnly: true },
          { name: 'data', mountPath: '/prometheus' },
          temporary.mount,
        ],
      },
      volumes: [
        { name: 'config', configMap: { name } },
        { name: 'rules', configMap: { name: `${name}-rules` } },
        temporary.volume,
      ],
      claim: {
        metadata: { name: 'data', labels: { 'app.kubernetes.io/instance': `${RELEASE.name}` } },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: when(not(empty(prometheus.storageClass)), prometheus.storageClass),
          resources: { requests: { storage: prometheus.storage } },
        },
      },
    })
  }
}
