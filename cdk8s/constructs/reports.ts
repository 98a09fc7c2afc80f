import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import { LOADTEST_LABELS, PART_LABEL } from '../../loadtests/kubernetes/test-run.ts'
import type { LoadtestsValues } from '../chart-values/loadtests-values.ts'
import { not } from '../values/compute.ts'
import { RELEASE } from '../values/define.ts'
import { kubeObject } from '../values/kube-object.ts'
import { Refusal } from '../values/refusal.ts'
import { Conditional, when } from '../values/when.ts'
import { allow, tcp } from './allow.ts'
import { type Component, nameIn } from './component.ts'
import { given } from './given.ts'
import { refuseNodePort } from './node-port.ts'
import { imageOf } from './pod.ts'
import { scratch } from './restricted.ts'
import { Scripts } from './scripts.ts'
import { SinglePod } from './single-pod.ts'

const selector = { 'app.kubernetes.io/instance': `${RELEASE.name}`, [PART_LABEL]: 'reports' }

export const REPORTS: Component = {
  name: nameIn(RELEASE.name, 'load-test-reports', 'statefulSet'),
  selector: { ...LOADTEST_LABELS, ...selector },
  labels: { ...LOADTEST_LABELS, ...selector },
}
/** Also of the Job that writes them: a volume belongs to one group. */
export const REPORTS_USER = 1000
export const REPORTS_VOLUME = { name: 'reports', persistentVolumeClaim: { claimName: REPORTS.name } }
/** Where both pods have it. */
export const REPORTS_PATH = '/reports'
/** For who shares its volume, which one node may have at a time. */
export const NEXT_TO_REPORTS = {
  requiredDuringSchedulingIgnoredDuringExecution: [
    { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: REPORTS.selector } },
  ],
}

const PORT = 8080
const CONFIG = 'nginx.conf'

/**
 * Serves the reports that scheduled runs leave in a volume. It only reads them: the Job writes them, and the list of them.
 *
 * The volume is a claim of its own, not one of the StatefulSet: an upgrade can make it larger.
 */
export class Reports extends Construct {
  constructor(scope: Construct, values: LoadtestsValues) {
    super(scope, 'reports')
    const { reports, schedule, networkPolicies } = values
    const { name, labels } = REPORTS
    new Refusal(
      this,
      'schedule',
      not(schedule.enabled),
      'reports.enabled is true and schedule.enabled is false: only scheduled runs leave reports. Set schedule.enabled=true.',
    )
    refuseNodePort(
      this,
      { path: 'reports.serviceType', value: reports.serviceType },
      { path: 'reports.nodePort', value: reports.nodePort },
    )
    kubeObject(this, 'claim', k8s.KubePersistentVolumeClaim, {
      metadata: { name, labels, annotations: { 'helm.sh/resource-policy': 'keep' } },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: when(given(reports.storageClass), reports.storageClass),
        resources: { requests: { storage: reports.storage } },
      },
    })
    const config = new Scripts(this, REPORTS, [CONFIG])
    const temporary = scratch('tmp', '/tmp', '16Mi')
    new SinglePod(this, 'pod', {
      component: REPORTS,
      values,
      ofKind: reports.pod,
      user: REPORTS_USER,
      port: PORT,
      service: { type: reports.serviceType, nodePort: reports.nodePort },
      annotations: { 'checksum/config': config.checksum },
      container: {
        image: imageOf(values, reports.image),
        command: ['nginx'],
        args: ['-e', 'stderr', '-c', `${config.mount.mountPath}/${CONFIG}`],
        resources: reports.resources,
        readinessProbe: { httpGet: { path: '/-/healthy', port: 'http' } },
        livenessProbe: { httpGet: { path: '/-/healthy', port: 'http' }, failureThreshold: 6 },
        volumeMounts: [
          config.mount,
          { name: REPORTS_VOLUME.name, mountPath: REPORTS_PATH, readOnly: true },
          temporary.mount,
        ],
      },
      volumes: [config.volume, REPORTS_VOLUME, temporary.volume],
    })
    const policies = new Conditional(this, 'network-policies', networkPolicies.enabled)
    const { reportsFrom } = networkPolicies
    allow(policies, REPORTS, {
      ingress: [{ from: when(given(reportsFrom), reportsFrom), ports: tcp(PORT) }],
      egress: [],
    })
  }
}
