/** Options that the commands for a cluster share. */

import { Usage } from '@hopwhistle/platform/command-line/failure.ts'
import { quantity } from '@hopwhistle/platform/kubernetes/quantity.ts'
import type { StoredPod } from '../../kubernetes/stored-pods.ts'
import { RUNNER_RESOURCES } from '../../kubernetes/test-run.ts'

export const CLUSTER_ENVIRONMENT_HELP = `  KUBECONFIG                    the cluster; ~/.kube/config if not given`

/**
 * `cpu=2,memory=1Gi`, each over what is usual. A limit below what is usually requested lowers the request.
 *
 * @throws {Usage} also for requests above the limits, of which Kubernetes would make no pod
 */
export function runnerResources(
  limitsGiven: string | undefined,
  requestsGiven: string | undefined,
  usually: StoredPod['resources'] = RUNNER_RESOURCES,
): StoredPod['resources'] {
  const limits = { ...usually.limits, ...readAmounts('--runner-limits', limitsGiven) }
  const asked = readAmounts('--runner-requests', requestsGiven)
  const request = (name: 'cpu' | 'memory'): string => {
    const [usual, limit] = [usually.requests[name], limits[name]]
    const isAbove = (amount: string) => limit !== undefined && quantity(amount) > quantity(limit)
    const wanted = asked[name] ?? (limit !== undefined && isAbove(usual) ? limit : usual)
    if (!isAbove(wanted)) return wanted
    throw new Usage(`--runner-requests asks for ${name} ${wanted}, above the limit of ${limit}`)
  }
  return { requests: { cpu: request('cpu'), memory: request('memory') }, limits }
}

function readAmounts(option: string, given: string | undefined): Partial<Record<'cpu' | 'memory', string>> {
  if (given === undefined) return {}
  const amounts = given.split(',').map((part) => part.split('='))
  const wrong = amounts.find(
    ([name = '', amount = '', ...more]) =>
      !['cpu', 'memory'].includes(name) || Number.isNaN(quantity(amount)) || more.length > 0,
  )
  if (wrong !== undefined) throw new Usage(`${option} is "${given}"; it may be cpu=2,memory=1Gi, or one of the two`)
  return Object.fromEntries(amounts)
}
