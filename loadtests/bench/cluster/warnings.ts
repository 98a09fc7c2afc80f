/** Why Kubernetes makes or starts no pod of a TestRun, in its own words: from the events of its Jobs and of their pods. */
import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import type { CoreV1Event } from '@kubernetes/client-node'
import { readTestRun } from './test-runs.ts'

export type Warnings = {
  /** Of each Job of which Kubernetes could make no pod: a quota, a limit range, Pod Security, a webhook. */
  readonly noPod: ReadonlyMap<string, string>
  /** Of each Job whose pod does not start: a volume, an image, a node. */
  readonly noStart: ReadonlyMap<string, string>
}

const NONE: Warnings = { noPod: new Map(), noStart: new Map() }
/** Events of everybody in the namespace: the newest come last. */
const MOST_EVENTS = 1_000

/**
 * The last warnings about a TestRun's Jobs, by the name of the Job. Events of an earlier TestRun of the same name are
 * left out.
 *
 * @throws never: nothing is known to who may not list events
 */
export async function warningsOf(cluster: Cluster, testRun: string): Promise<Warnings> {
  try {
    const { core, namespace } = cluster
    const [made, { items }] = await Promise.all([
      readTestRun(cluster, testRun),
      core.listNamespacedEvent({ namespace, fieldSelector: 'type=Warning', limit: MOST_EVENTS }),
    ])
    const since = Date.parse(made?.metadata.creationTimestamp ?? '')
    const ours = items
      .filter(({ reason }) => reason?.startsWith('Failed'))
      .filter((event) => !(timeOf(event) < since))
      .toSorted((a, b) => timeOf(a) - timeOf(b))
    const of = (kind: string, jobOf: (name: string) => string) =>
      new Map(
        ours
          .filter(({ involvedObject }) => involvedObject.kind === kind)
          .map(({ involvedObject, message = '' }) => [jobOf(involvedObject.name ?? ''), message.trim()] as const)
          .filter(([job]) => job.startsWith(`${testRun}-`)),
      )
    return { noPod: of('Job', (name) => name), noStart: of('Pod', (name) => name.replace(/-[a-z0-9]+$/, '')) }
  } catch {
    return NONE
  }
}

function timeOf({ series, lastTimestamp, eventTime, firstTimestamp, metadata }: CoreV1Event): number {
  const time = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp ?? metadata.creationTimestamp
  return time === undefined ? 0 : new Date(time).getTime()
}
