import { Failure } from '../../platform/command-line/failure.ts'
import { clusterName, kubectl, serves } from '../../platform/kubernetes/kubectl.ts'
import { VERSIONS } from '../../platform/kubernetes/versions.ts'
import type { Steps } from './steps.ts'

const RELEASES = 'https://github.com/kubernetes-sigs/metrics-server/releases/download'

/**
 * Sees to it that something answers for `metrics.k8s.io`, without which no autoscaler knows how busy pods are. What does
 * so already stays.
 *
 * @throws {Failure} saying how to go on without it, when its release cannot be fetched
 */
export async function installMetricsServer({ terminal }: Steps): Promise<void> {
  if (await serves('metrics.k8s.io/v1beta1')) {
    terminal.step('  ✓ Metrics of pods are served')
    return
  }
  const install = async () => {
    await kubectl('apply', '--filename', `${RELEASES}/v${VERSIONS.metricsServer}/components.yaml`).catch(
      (error: Failure) => {
        throw new Failure(
          `${error.message}\nmetrics-server could not be installed; METRICS_SERVER=skip goes on without it, and without autoscaling`,
        )
      },
    )
    if ((await clusterName()) !== '') await acceptKindsCertificates()
    await kubectl('--namespace', 'kube-system', 'rollout', 'status', 'deployment/metrics-server', '--timeout', '180s')
  }
  await terminal.during('Installing metrics-server', install, () => `✓ metrics-server ${VERSIONS.metricsServer}`)
}

/** A kubelet of kind signs its certificate itself. */
async function acceptKindsCertificates(): Promise<void> {
  const flag = { op: 'add', path: '/spec/template/spec/containers/0/args/-', value: '--kubelet-insecure-tls' }
  const patch = JSON.stringify([flag])
  await kubectl(
    '--namespace',
    'kube-system',
    'patch',
    'deployment',
    'metrics-server',
    '--type',
    'json',
    '--patch',
    patch,
  )
}
