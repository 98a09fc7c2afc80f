import { tryTo } from '../../platform/kubernetes/programs.ts'

type Pod = {
  readonly metadata: { readonly name: string }
  readonly status: {
    readonly phase: string
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}
type ContainerStatus = {
  readonly ready: boolean
  readonly restartCount: number
  readonly state: {
    readonly waiting?: { readonly reason?: string; readonly message?: string }
    readonly terminated?: { readonly reason?: string; readonly exitCode: number }
  }
}

/** Which pods of a namespace are not ready and why, as far as Kubernetes tells; empty when all are. */
export async function describeUnready(namespace: string): Promise<string> {
  const text = await tryTo('kubectl', ['get', 'pods', '--namespace', namespace, '--output', 'json'])
  if (text === undefined) return ''
  const { items } = JSON.parse(text) as { readonly items: readonly Pod[] }
  const lines = items.filter(isUnready).map((pod) => `  ${pod.metadata.name}: ${whyUnready(pod)}`)
  return lines.length === 0 ? '' : `\nnot ready:\n${lines.join('\n')}`
}

function isUnready({ status: { phase, conditions = [] } }: Pod): boolean {
  return phase !== 'Succeeded' && !conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
}

function whyUnready({ status }: Pod): string {
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
  const reasons = containers.flatMap(({ ready, restartCount, state: { waiting, terminated } }) => {
    const restarts = restartCount === 0 ? '' : `, restarted ${restartCount} times`
    if (waiting !== undefined) return [`${waiting.reason ?? 'waits'}${restarts} ${waiting.message ?? ''}`.trim()]
    if (terminated !== undefined && terminated.exitCode !== 0)
      return [`${terminated.reason ?? 'ended'}, exit code ${terminated.exitCode}`]
    return ready ? [] : [`its probe does not pass${restarts}`]
  })
  const scheduling = (status.conditions ?? []).find(({ type, status: is }) => type === 'PodScheduled' && is === 'False')
  return (
    [...new Set([...reasons, ...(scheduling?.message === undefined ? [] : [scheduling.message])])].join('; ') ||
    status.phase
  )
}
