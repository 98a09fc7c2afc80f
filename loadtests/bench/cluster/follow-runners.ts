import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import { RUNNER_PORT } from '../../kubernetes/test-run.ts'
import type { RunnerPod } from '../../results-format.ts'
import { type K6Snapshot, METRICS_PATH, readSnapshot } from '../collect/k6-snapshot.ts'

/** Through the API server, and with many runners behind each other. */
const ANSWER_WITHIN_MS = 4_000

/** Readers of every runner's REST API, through the API server; undefined when it does not answer. */
export function runnerReaders(
  { get, namespace }: Cluster,
  pods: readonly RunnerPod[],
): readonly (() => Promise<K6Snapshot | undefined>)[] {
  return pods.map(({ pod }) => async () => {
    if (pod === undefined) return undefined
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}:${RUNNER_PORT}/proxy`
    return get(`${path}${METRICS_PATH}`, { timeoutMs: ANSWER_WITHIN_MS }).then(readSnapshot, () => undefined)
  })
}
