import { join } from 'node:path'
import { apply, clusterName, exists, may } from '../../platform/kubernetes/kubectl.ts'
import { CHECKOUT } from '../../platform/lib/checkout.ts'
import { describeAddresses } from './addresses.ts'
import { backupImage } from './backup-image.ts'
import { apiImage, deliverImage } from './deliver-images.ts'
import { installChart } from './install-chart.ts'
import { installK6Operator } from './k6-operator.ts'
import { KIND_CLUSTER } from './kind.ts'
import { installMetricsServer } from './metrics-server.ts'
import type { DeploySettings } from './settings.ts'
import type { Steps } from './steps.ts'

/**
 * Brings the platform into the cluster that kubectl points to, or brings it up to date there. What is there already
 * stays as it is, so that running it twice gives the same as running it once.
 *
 * @returns where it can be reached
 */
export async function deployPlatform(settings: DeploySettings, steps: Steps): Promise<string> {
  const { namespace, release, skip } = settings
  const image = await deliverImage(apiImage(), settings.imageBuilder, steps)
  const forBackups = backupImage(settings.values)
  const withBackups = forBackups && (await deliverImage(forBackups, settings.imageBuilder, steps))
  if (!skip.has('METRICS_SERVER')) await installMetricsServer(steps)
  if (!skip.has('K6_OPERATOR')) await installK6Operator(steps)
  // One that is there is its owner's: whoever may only work in it could not change it.
  if (!(await exists('namespace', namespace))) await apply(namespaceOf(namespace))

  const inKind = (await clusterName()) === KIND_CLUSTER
  const valuesOfKind = (chart: string) => (inKind ? [join(CHECKOUT, `tooling/cluster/kind-values/${chart}.yaml`)] : [])
  await installChart(
    {
      chart: 'hopwhistle',
      release,
      namespace,
      values: [...valuesOfKind('hopwhistle'), ...settings.values],
      set: {
        'demo.enabled': !skip.has('DEMO_DATA'),
        ...(image === undefined ? {} : { 'api.image': image }),
        ...(withBackups === undefined ? {} : { 'postgres.backup.image': withBackups }),
      },
    },
    steps,
  )
  if (!skip.has('MONITORING')) {
    const chart = 'hopwhistle-monitoring'
    const values = [...valuesOfKind(chart), ...settings.monitoringValues]
    const readsNodes = await may('create', 'clusterroles.rbac.authorization.k8s.io')
    if (!readsNodes)
      steps.terminal.step(
        '  … You may not make a ClusterRole: Prometheus does not read CPU and memory from the kubelets',
      )
    const set = { release, ...(readsNodes ? {} : { 'kubernetes.cadvisor.enabled': false }) }
    await installChart({ chart, release: `${release}-monitoring`, namespace, values, set }, steps)
  }
  return describeAddresses(settings, inKind)
}

/** All of our pods keep to the strictest of the Pod Security standards; a namespace of our own sees to it. */
const namespaceOf = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
})
