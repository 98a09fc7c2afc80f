import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import type { DistributedRun } from '../../results-format.ts'
import { changedMeanwhile, changedSince } from './changed-since.ts'
import { podsOf } from './runner-pods.ts'
import { readTestRun, type TestRunObject } from './test-runs.ts'

export type Watched = {
  readonly cluster: Cluster
  readonly name: string
  /** As it was when it was read first; absent of one that this command makes. */
  readonly testRun?: TestRunObject
}

/** Which TestRun it was, and what it no longer says as it did when it was read, or when its runners were made. */
export async function testRunAtEnd(watched: Watched): Promise<Pick<DistributedRun, 'uid' | 'changed'>> {
  const { cluster, name, testRun: before } = watched
  const [now, pods] = await Promise.all([
    readTestRun(cluster, name).catch(() => undefined),
    podsOf(cluster, name, 'runner=true').catch(() => []),
  ])
  if (now === undefined) return {}
  const meanwhile = before === undefined ? [] : changedMeanwhile(before, now)
  const changed = [...new Set([...meanwhile, ...changedSince(now, pods)])]
  return { uid: now.metadata.uid, ...(changed.length === 0 ? {} : { changed }) }
}
