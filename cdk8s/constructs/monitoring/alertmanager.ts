import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import { stringify } from 'yaml'
import type { MonitoringValues } from '../../chart-values/monitoring-values.ts'
import { choose, empty, type Operand } from '../../values/compute.ts'
import { kubeObject } from '../../values/kube-object.ts'
import { Conditional } from '../../values/when.ts'
import { imageOf } from '../pod.ts'
import { scratch } from '../restricted.ts'
import { SinglePod } from '../single-pod.ts'
import { ALERTMANAGER, PORTS } from './names.ts'

const NOBODY = 65534

/** Shows what fires, and tells nobody: whom to tell is a secret of its owner. */
const SILENT = stringify({
  route: { receiver: 'nobody', group_by: ['alertname', 'namespace', 'release'] },
  receivers: [{ name: 'nobody' }],
})

export class Alertmanager extends Construct {
  constructor(scope: Construct, values: MonitoringValues) {
    super(scope, 'alertmanager')
    const { existingSecret, image, resources } = values.alertmanager
    const { name, labels } = ALERTMANAGER
    const silent = new Conditional(this, 'silent', empty(existingSecret))
    kubeObject(silent, 'config', k8s.KubeSecret, {
      metadata: { name, labels },
      stringData: { 'alertmanager.yml': SILENT },
    })
    const data = scratch('data', '/alertmanager', '256Mi')
    new SinglePod(this, 'pod', {
      component: ALERTMANAGER,
      values,
      ofKind: values.alertmanager.pod,
      user: NOBODY,
      port: PORTS.alertmanager,
      container: {
        image: imageOf(values, image),
        // Alone: it has no peers to agree with.
        args: ['--config.file=/config/alertmanager.yml', '--storage.path=/alertmanager', '--cluster.listen-address='],
        resources,
        readinessProbe: { httpGet: { path: '/-/ready', port: 'http' } },
        livenessProbe: { httpGet: { path: '/-/healthy', port: 'http' }, failureThreshold: 6 },
        volumeMounts: [{ name: 'config', mountPath: '/config', readOnly: true }, data.mount],
      },
      volumes: [
        {
          name: 'config',
          secret: { secretName: choose<string>(empty(existingSecret), name, existingSecret as Operand<string>) },
        },
        data.volume,
      ],
    })
  }
}
