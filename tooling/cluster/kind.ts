import { join } from 'node:path'
import { Failure } from '../../platform/command-line/failure.ts'
import { ask, tryTo } from '../../platform/kubernetes/programs.ts'
import { CHECKOUT } from '../../platform/lib/checkout.ts'
import type { Steps } from './steps.ts'

/** The cluster's name in kind-config.yaml; its context in kubectl is `kind-hopwhistle`. */
export const KIND_CLUSTER = 'hopwhistle'
const CONFIG = join(CHECKOUT, 'kind-config.yaml')

/** Creates the cluster, unless it is there, and makes it the current one of kubectl. */
export async function createKindCluster({ terminal, signal }: Steps): Promise<void> {
  if ((await tryTo('docker', ['info'])) === undefined)
    throw new Failure('Docker is installed, but it does not answer: start it, then run this again')
  const create = async () => {
    const clusters = (await ask('kind', ['get', 'clusters'])).split('\n')
    if (!clusters.includes(KIND_CLUSTER)) {
      await ask('kind', ['create', 'cluster', '--config', CONFIG, '--wait', '180s'], { signal })
    }
    await ask('kind', ['export', 'kubeconfig', '--name', KIND_CLUSTER])
  }
  await terminal.during(
    'Creating the cluster, some minutes the first time',
    create,
    () => `✓ kind cluster ${KIND_CLUSTER}`,
  )
}

/** Removes the cluster with all that is in it; none there is fine. */
export async function deleteKindCluster({ terminal }: Steps): Promise<void> {
  await terminal.during(
    'Removing the cluster',
    () => ask('kind', ['delete', 'cluster', '--name', KIND_CLUSTER]),
    () => `✓ kind cluster ${KIND_CLUSTER} is gone`,
  )
}
