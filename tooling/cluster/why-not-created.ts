import { tryTo } from '../../platform/kubernetes/programs.ts'

type Event = {
  readonly metadata: { readonly uid: string }
  readonly involvedObject: { readonly kind: string; readonly name: string }
  readonly reason: string
  readonly message: string
  readonly count?: number
}

/** Of Jobs, StatefulSets and ReplicaSets that may not make their pods, and of claims that get no volume. */
const REASONS: ReadonlySet<string> = new Set(['FailedCreate', 'ProvisioningFailed'])
const LOOK_EVERY_MS = 3_000

/**
 * Says what Kubernetes says that it cannot create in a namespace, while something is waited for: a quota, a LimitRange,
 * Pod Security or an admission webhook. Each object is told of once; what happened before is not.
 *
 * @param say gets a sentence as soon as it is known
 * @returns stops it, and gives all that it said
 */
export async function tellWhyNotCreated(
  namespace: string,
  say: (why: string) => void,
): Promise<() => readonly string[]> {
  const before = new Map((await failures(namespace)).map((event) => [event.metadata.uid, event.count]))
  const said = new Map<string, string>()
  let looking = false
  const look = async () => {
    if (looking) return
    looking = true
    for (const event of await failures(namespace)) {
      const { kind, name } = event.involvedObject
      const isOld = before.has(event.metadata.uid) && before.get(event.metadata.uid) === event.count
      if (isOld || said.has(`${kind} ${name}`)) continue
      const why = `${kind} ${name}: ${event.message}`
      said.set(`${kind} ${name}`, why)
      say(why)
    }
    looking = false
  }
  const timer = setInterval(() => void look(), LOOK_EVERY_MS)
  return () => {
    clearInterval(timer)
    return [...said.values()]
  }
}

async function failures(namespace: string): Promise<readonly Event[]> {
  const text = await tryTo('kubectl', ['get', 'events', '--namespace', namespace, '--output', 'json'])
  if (text === undefined) return []
  return (JSON.parse(text) as { readonly items: readonly Event[] }).items.filter(({ reason }) => REASONS.has(reason))
}
