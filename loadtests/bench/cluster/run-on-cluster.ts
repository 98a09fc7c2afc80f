/** One scenario by k6-operator, from the TestRun that is made for it until that is gone again. */
import type { ProfileName, ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import type { Terminal } from '@hopwhistle/platform/command-line/terminal.ts'
import type { Cluster } from '@hopwhistle/platform/kubernetes/connect.ts'
import { REMOTE_WRITE_URL, remoteWrite } from '../../kubernetes/remote-write.ts'
import { scriptConfigMap } from '../../kubernetes/script-config-map.ts'
import { podsLike } from '../../kubernetes/stored-pods.ts'
import { LONGEST_NAME, type Resources, testRun } from '../../kubernetes/test-run.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { newRunId } from '../run/new-run-id.ts'
import { apiKeySecret, apiKeyVariable } from './api-key-secret.ts'
import { keepWithTestRun } from './kept-result.ts'
import { measureDistributed } from './measure-distributed.ts'
import { requireAlone } from './one-at-a-time.ts'
import type { Platform } from './platform.ts'
import type { PodOptions } from './pod-options.ts'
import { applyTestRun, deleteTestRun } from './test-runs.ts'
import { runSeconds } from './time-limits.ts'

export type ClusterRunOptions = {
  readonly cluster: Cluster
  readonly scenario: ScenarioName
  readonly profile: ProfileName
  readonly parallelism: number
  readonly apiUrl: string
  readonly platform: Platform | undefined
  /** Of another API than the demo data's. */
  readonly apiKey?: string
  readonly tenantId?: string
  readonly images: { readonly k6: string; readonly starter: string }
  readonly k6Version: string
  /** Of runners. */
  readonly resources: Resources
  /** Where the chart of the load tests is installed. */
  readonly podOptions: PodOptions | undefined
  readonly startWithinSeconds: number
  readonly overrides: Readonly<Record<string, string>>
  /** Where the runners also write their metrics, as pods reach it; without a password, which anybody could read there. */
  readonly metricsUrl?: string | undefined
  /** Leaves the TestRun and its pods for somebody to look at. */
  readonly keep: boolean
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/**
 * @throws {NotAlone} when another run came at the same moment
 * @throws {Failure} when the run cannot be made; what it made is gone then, unless it is to be kept
 */
export async function runOnCluster(options: ClusterRunOptions): Promise<LoadtestResult> {
  const { cluster, scenario, profile, parallelism, keep, terminal, signal } = options
  const { namespace } = cluster
  const runId = newRunId()
  const name = `${scenario}-${runId}`
  if (name.length > LONGEST_NAME)
    throw new Failure(`the TestRun's name "${name}" is longer than ${LONGEST_NAME} characters`)
  const sent = remoteWrite({ [REMOTE_WRITE_URL]: options.metricsUrl }, { runId, scenario })
  const secret = options.apiKey === undefined ? undefined : apiKeySecret(name, namespace, options.apiKey)
  const run = testRun({
    ...options,
    name,
    namespace,
    runId,
    configMap: name,
    runnerResources: options.resources,
    args: sent.args,
    runnerEnv: Object.entries(sent.env).map(([name, value]) => ({ name, value })),
    ...(options.podOptions === undefined ? {} : podsLike(options.podOptions.stored, scenario)),
    ...(secret === undefined ? {} : { apiKeyVariable: apiKeyVariable(secret) }),
  })
  let applied = false
  try {
    const measured = await measureDistributed({
      ...options,
      name,
      runId,
      apply: async () => {
        signal.throwIfAborted()
        applied = true
        await applyTestRun(cluster, run, [scriptConfigMap(scenario, name, namespace), ...(secret ? [secret] : [])])
        await requireAlone(cluster, name).catch(async (error) => {
          await deleteTestRun(cluster, name)
          throw error
        })
        terminal.step(
          `  ✓ TestRun ${namespace}/${name}: ${parallelism} runners of profile ${profile} against ${options.apiUrl}`,
        )
      },
      runWithinSeconds: runSeconds(scenario, profile, parallelism, options.overrides),
    })
    // For somebody who collects it later: its rows, and what was sampled, are known now or never.
    if (!keep) return measured
    const { result, note } = await keepWithTestRun(cluster, name, measured)
    if (note !== undefined) terminal.step(`  - ${note}`)
    return result
  } finally {
    terminal.clear()
    if (applied && !keep) await deleteTestRun(cluster, name)
  }
}
