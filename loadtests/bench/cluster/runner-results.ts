/** The results of a TestRun's runners, from the logs of their pods. */

import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import { RESULTS_FORMAT, type RunnerPod, type RunnerResult } from '../../results-format.ts'
import { fromLogLines } from '../../scenarios/lib/result-lines.ts'
import { lastWords } from '../collect/last-words.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { parseResult } from '../evidence/parse-result.ts'

/** Lines read from the end: a result takes about 100, and what k6 says after it a few. */
const TAIL_LINES = 1_000
const READ_WITHIN_MS = 30_000

export type Collected = {
  /** The first runner's, with those of all others behind it; undefined when none left a result. */
  readonly result: LoadtestResult | undefined
  readonly pods: readonly RunnerPod[]
}

/**
 * Reads every runner's log at once and puts their results behind each other.
 *
 * @param readLog of the last lines of a pod's log
 */
export async function collectResults(pods: readonly RunnerPod[], readLog: LogReader): Promise<Collected> {
  const read = await Promise.all(
    pods.map(async (pod) => {
      const log = pod.pod === undefined ? '' : await readLog(pod.pod).catch(() => '')
      const result = resultIn(log)
      const failed = pod.state === 'ended' && pod.exitCode !== 0
      const words = failed ? lastWords(log) : undefined
      return { pod: words === undefined ? pod : { ...pod, lastWords: words }, result }
    }),
  )
  return { result: mergeResults(read), pods: read.map(({ pod }) => pod) }
}

export type LogReader = (pod: string) => Promise<string>

export const podLogs =
  ({ get, namespace }: Cluster, container = 'k6'): LogReader =>
  (pod) =>
    get(
      `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log` +
        `?container=${container}&tailLines=${TAIL_LINES}`,
      { timeoutMs: READ_WITHIN_MS },
    )

function mergeResults(
  read: readonly { readonly pod: RunnerPod; readonly result: LoadtestResult | undefined }[],
): LoadtestResult | undefined {
  const runners = read.flatMap(({ pod, result }) =>
    (result?.runners ?? []).map(
      (runner): RunnerResult => ({
        ...runner,
        instance: pod.instance,
        ...(pod.exitCode === undefined ? {} : { exitCode: pod.exitCode }),
      }),
    ),
  )
  const first = read.find(({ result }) => result !== undefined)?.result
  return first === undefined ? undefined : { ...first, runners }
}

/** What a scenario printed with RESULTS_DIR `log`, or with `-` as one line that the log left whole. */
export function resultIn(log: string): LoadtestResult | undefined {
  const found =
    fromLogLines(log) ?? log.split('\n').findLast((line) => line.startsWith(`{"format":"${RESULTS_FORMAT}"`))
  if (found === undefined) return undefined
  try {
    return parseResult(found)
  } catch {
    return undefined
  }
}
