/** What Kubernetes says of the pods of a TestRun. */

import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import { quantity } from '@hopwhistle/platform/kubernetes/quantity.ts'
import type { V1Pod } from '@kubernetes/client-node'
import type { RunnerPod } from '../../results-format.ts'

const OOM = 'OOMKilled'

/** @returns one for each runner that was asked for, in their order, whether or not it is there */
export async function readRunnerPods(cluster: Cluster, testRun: string, parallelism: number): Promise<RunnerPod[]> {
  const pods = await podsOf(cluster, testRun, 'runner=true')
  return Array.from({ length: parallelism }, (_, i) => {
    const instance = String(i + 1)
    const job = `${testRun}-${instance}`
    const mine = pods.filter(({ metadata }) => metadata?.labels?.['job-name'] === job)
    // The operator's Jobs try once; what a disruption left behind is followed by another.
    const [pod] = mine.toSorted((a, b) => createdAt(b) - createdAt(a))
    return { instance, ...(pod === undefined ? { state: 'absent' as const } : describePod(pod)) }
  })
}

/** @param selector in addition to those of the TestRun: `runner=true`, `job-name=…` */
export async function podsOf({ core, namespace }: Cluster, testRun: string, selector: string): Promise<V1Pod[]> {
  const labelSelector = `app=k6,k6_cr=${testRun},${selector}`
  return (await core.listNamespacedPod({ namespace, labelSelector })).items
}

const createdAt = ({ metadata }: V1Pod): number => metadata?.creationTimestamp?.getTime() ?? 0

/** @throws never: what is not there is left out */
export function describePod({ metadata, spec, status }: V1Pod): Omit<RunnerPod, 'instance'> {
  const container = spec?.containers.find(({ name }) => name === 'k6') ?? spec?.containers[0]
  const state = status?.containerStatuses?.find(({ name }) => name === container?.name)?.state
  const limit = container?.resources?.limits?.memory
  const pod = {
    ...(metadata?.name === undefined ? {} : { pod: metadata.name }),
    ...(spec?.nodeName === undefined ? {} : { node: spec.nodeName }),
    ...(limit === undefined ? {} : { memoryLimitBytes: quantity(limit) }),
  }
  if (state?.terminated !== undefined) {
    const { exitCode, reason } = state.terminated
    const oomKilled = reason === OOM
    return {
      ...pod,
      state: 'ended',
      exitCode,
      ...(oomKilled ? { oomKilled } : {}),
      ...reasonPart(oomKilled ? OOM : undefined),
    }
  }
  if (state?.running !== undefined) return { ...pod, state: 'running' }
  // Evicted, or its node was lost: there may be no container left to tell of.
  if (status?.phase === 'Failed') return { ...pod, state: 'ended', ...reasonPart(status.reason ?? status.message) }
  const scheduling = status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduling?.status === 'False') return { ...pod, state: 'unscheduled', ...reasonPart(scheduling.message) }
  const waiting = [state?.waiting?.reason, state?.waiting?.message].filter((part) => part !== undefined).join(': ')
  return { ...pod, state: 'waiting', ...reasonPart(waiting || undefined) }
}

const reasonPart = (reason: string | undefined) => (reason === undefined ? {} : { reason })
