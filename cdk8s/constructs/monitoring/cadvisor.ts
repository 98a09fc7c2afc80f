import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import { RELEASE } from '../../values/define.ts'
import { kubeObject } from '../../values/kube-object.ts'
import type { Value } from '../../values/value.ts'
import { serviceAccount } from '../rights.ts'
import { JOBS, PROMETHEUS } from './names.ts'

export const KUBELET_PORT = 10250
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'
const READ = ['container_cpu_usage_seconds_total', 'container_memory_working_set_bytes']
const PERIODS = ['container_cpu_cfs_periods_total', 'container_cpu_cfs_throttled_periods_total']

/** Lets Prometheus find the nodes and read the metrics of their kubelets, and nothing else. */
export class CadvisorAccess extends Construct {
  constructor(scope: Construct) {
    super(scope, 'cadvisor')
    const { name, labels } = PROMETHEUS
    // It belongs to no namespace.
    const role = `${RELEASE.namespace}-${name}`
    serviceAccount(this, PROMETHEUS)
    kubeObject(this, 'role', k8s.KubeClusterRole, {
      metadata: { name: role, labels },
      rules: [
        { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
        { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
      ],
    })
    kubeObject(this, 'binding', k8s.KubeClusterRoleBinding, {
      metadata: { name: role, labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', name, namespace: `${RELEASE.namespace}` }],
    })
  }
}

/** Prometheus asks Kubernetes where the nodes are. */
export const cadvisorOfAllNodes = () => ({ ...job(), kubernetes_sd_configs: [{ role: 'node' }] })
export const cadvisorAt = (kubelet: Value<string>) => ({ ...job(), static_configs: [{ targets: [`${kubelet}`] }] })

/** What a kubelet knows of the containers of this namespace; it looks every 10 to 15 s itself. */
const job = () => ({
  job_name: JOBS.cadvisor,
  scheme: 'https',
  metrics_path: '/metrics/cadvisor',
  scrape_interval: '10s',
  authorization: { credentials_file: TOKEN },
  // Kubelets sign their certificates themselves, if nobody else does.
  tls_config: { insecure_skip_verify: true },
  metric_relabel_configs: [
    { source_labels: ['__name__'], regex: [...READ, ...PERIODS].join('|'), action: 'keep' },
    { source_labels: ['namespace'], regex: `${RELEASE.namespace}`, action: 'keep' },
  ],
})
