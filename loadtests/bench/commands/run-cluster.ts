/** `run --cluster`: the scenarios by k6-operator, in the cluster of the kubeconfig. */
import { DEMO_API_KEY } from '@hopwhistle/contract/demo.ts'
import type { ProfileName, ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { pinnedImages, versionOfImage } from '@hopwhistle/platform/checkout/pinned-images.ts'
import type { CommandContext } from '@hopwhistle/platform/command-line/command.ts'
import { Usage } from '@hopwhistle/platform/command-line/failure.ts'
import { wholeNumber } from '@hopwhistle/platform/command-line/parse-options.ts'
import { connect } from '@hopwhistle/platform/kubernetes/connect.ts'
import { REMOTE_WRITE_URL } from '../../kubernetes/remote-write.ts'
import { findPlatform, platformAt } from '../cluster/platform.ts'
import { runOnCluster } from '../cluster/run-on-cluster.ts'
import { requireOperator } from '../cluster/test-runs.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { measureAndJudge } from '../run/measure-and-judge.ts'
import { runnerResources } from './cluster-options.ts'
import { printReport, printVerdicts, writeComplete } from './report-results.ts'

export const CLUSTER_OPTIONS = {
  cluster: { type: 'boolean', default: false },
  parallelism: { type: 'string' },
  namespace: { type: 'string' },
  'runner-limits': { type: 'string' },
  'runner-requests': { type: 'string' },
  image: { type: 'string' },
  'start-within': { type: 'string' },
  keep: { type: 'boolean' },
  document: { type: 'boolean' },
} as const

export const CLUSTER_HELP = `In Kubernetes, by k6-operator:

  --cluster             makes a TestRun of each scenario, follows every runner, collects and merges their results,
                        samples the platform meanwhile, judges, and deletes the TestRun again, also on Ctrl-C
  --parallelism N       k6 pods that share the load: 2
  --namespace NS        where they run: that of the kubeconfig's context
  --api-url URL         as pods reach it; if not given, the platform is found by the labels of its chart
  --runner-limits AMOUNTS, --runner-requests AMOUNTS
                        of each runner: cpu=2,memory=2Gi and cpu=250m,memory=512Mi, or one of the two
  --image IMAGE         the k6 of runners, if not that of versions.json
  --start-within N      seconds for the runners to come up: 180
  --keep                leaves the TestRun and its pods
  --document            also keeps the results as the baseline of this cluster and writes the document; not of smoke`

type ClusterValues = {
  readonly parallelism?: string | undefined
  readonly namespace?: string | undefined
  readonly 'runner-limits'?: string | undefined
  readonly 'runner-requests'?: string | undefined
  readonly image?: string | undefined
  readonly 'start-within'?: string | undefined
  readonly keep?: boolean | undefined
  readonly document?: boolean | undefined
  readonly 'results-dir'?: string | undefined
}

/** @throws {Usage} when an option is given that needs `--cluster` */
export function refuseClusterOptions(values: ClusterValues): void {
  const given = Object.keys(CLUSTER_OPTIONS).find(
    (name) => name !== 'cluster' && values[name as keyof ClusterValues] !== undefined,
  )
  if (given !== undefined) throw new Usage(`--${given} is of a run in Kubernetes: give --cluster, too`)
}

export type ClusterRun = {
  readonly values: ClusterValues
  readonly scenarios: readonly ScenarioName[]
  readonly profile: ProfileName
  readonly apiUrl: string | undefined
  readonly overrides: Readonly<Record<string, string>>
}

/** @returns the exit code that the verdicts make */
export async function runCluster(run: ClusterRun, { terminal, signal, print }: CommandContext): Promise<number> {
  const { values, scenarios, profile, overrides } = run
  const parallelism = wholeNumber('--parallelism', values.parallelism ?? '2', 1, 1000)
  const startWithinSeconds = wholeNumber('--start-within', values['start-within'] ?? '180', 1, 86_400)
  const resources = runnerResources(values['runner-limits'], values['runner-requests'])
  const images = { ...pinnedImages(), ...(values.image === undefined ? {} : { k6: values.image }) }
  const cluster = connect(values.namespace)
  await requireOperator(cluster)
  const platform = run.apiUrl ? await platformAt(cluster, run.apiUrl) : await findPlatform(cluster)
  const apiUrl = run.apiUrl || platform?.apiUrl || ''
  const { API_KEY, TENANT_ID } = process.env

  const results: LoadtestResult[] = []
  for (const scenario of scenarios) {
    signal.throwIfAborted()
    const measure = () =>
      runOnCluster({
        cluster,
        scenario,
        profile,
        parallelism,
        apiUrl,
        platform,
        ...(API_KEY && API_KEY !== DEMO_API_KEY ? { apiKey: API_KEY } : {}),
        ...(TENANT_ID ? { tenantId: TENANT_ID } : {}),
        images,
        k6Version: versionOfImage(images.k6),
        resources,
        startWithinSeconds,
        overrides,
        metricsUrl: process.env[REMOTE_WRITE_URL],
        keep: values.keep === true,
        terminal,
        signal,
      })
    results.push(await measureAndJudge(scenario, measure, { resultsDir: values['results-dir'], terminal }))
  }
  const exitCode = printVerdicts(results, print, values.document ? undefined : '`run --cluster --document`')
  await printReport(results, print, values['results-dir'])
  if (values.document) await writeComplete(results, print)
  return exitCode
}
