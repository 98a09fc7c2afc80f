import { Failure } from '../../platform/command-line/failure.ts'
import { kubectl, serves } from '../../platform/kubernetes/kubectl.ts'
import { tryTo } from '../../platform/kubernetes/programs.ts'
import { VERSIONS } from '../../platform/kubernetes/versions.ts'
import type { Steps } from './steps.ts'

const NAMESPACE = 'k6-operator-system'
const DEPLOYMENT = 'deployment/k6-operator-controller-manager'

/**
 * Installs k6-operator in the version that versions.json names, unless it is there.
 *
 * @throws {Failure} saying how to go on without it, when its release cannot be fetched
 */
export async function installK6Operator({ terminal }: Steps): Promise<void> {
  const version = `v${VERSIONS.k6Operator}`
  const images = ['get', DEPLOYMENT, '--output', 'jsonpath={.spec.template.spec.containers[*].image}']
  const install = async () => {
    const running = await tryTo('kubectl', ['--namespace', NAMESPACE, ...images])
    // One that its owner lets nobody look at is taken as it is.
    if (running === undefined && (await serves('k6.io/v1alpha1'))) return 'k6-operator is there'
    if (!running?.includes(version)) {
      await fetchAndApply(`https://github.com/grafana/k6-operator/releases/download/${version}/bundle.yaml`)
    }
    await kubectl('--namespace', NAMESPACE, 'rollout', 'status', DEPLOYMENT, '--timeout', '180s')
    return `k6-operator ${version}`
  }
  await terminal.during(`Installing k6-operator ${version}`, install, (what) => `✓ ${what}`)
}

/** Its definition of a TestRun is larger than the annotation that a plain apply would keep. */
async function fetchAndApply(url: string): Promise<void> {
  await kubectl('apply', '--server-side', '--force-conflicts', '--filename', url).catch((error: Failure) => {
    throw new Failure(
      `${error.message}\nk6-operator could not be installed; K6_OPERATOR=skip goes on without it, and without load tests in the cluster`,
    )
  })
}
