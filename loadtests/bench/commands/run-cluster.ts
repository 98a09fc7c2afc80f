/** `run --cluster`: the scenarios by k6-operator, in the cluster of the kubeconfig. */
import { DEMO_API_KEY } from '@hopwhistle/contract/demo.ts'
import type { ProfileName, ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { pinnedImages, versionOfImage } from '@hopwhistle/platform/checkout/pinned-images.ts'
import type { CommandContext } from '@hopwhistle/platform/command-line/command.ts'
import { EXIT, Failure, Usage } from '@hopwhistle/platform/command-line/failure.ts'
import { wholeNumber } from '@hopwhistle/platform/command-line/parse-options.ts'
import { connect, reasonOf } from '@hopwhistle/platform/kubernetes/connect.ts'
import { REMOTE_WRITE_URL } from '../../kubernetes/remote-write.ts'
import { MOST_RUNNERS } from '../../kubernetes/test-run.ts'
import { keepInNamespace } from '../cluster/kept-result.ts'
import { whenAlone } from '../cluster/one-at-a-time.ts'
import { findPlatform, platformAt } from '../cluster/platform.ts'
import { readPodOptions } from '../cluster/pod-options.ts'
import { runOnCluster } from '../cluster/run-on-cluster.ts'
import { requireOperator } from '../cluster/test-runs.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { keepReport } from '../report/report-folder.ts'
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
  release: { type: 'string' },
  'keep-results': { type: 'string' },
  'keep-reports': { type: 'string' },
  'missed-exit-code': { type: 'string' },
} as const

export const CLUSTER_HELP = `In Kubernetes, with k6-operator:

  --cluster             creates a TestRun for each scenario, follows every runner, samples the platform, collects and
                        merges the runners' results, judges them, and deletes the TestRun, also on Ctrl-C
  --parallelism N       number of k6 pods that share the load; 2 if not given
  --namespace NS        the namespace to run in; that of the kubeconfig's context if not given
  --api-url URL         address of the API inside the cluster; if not given, found by the labels of its chart
  --runner-limits AMOUNTS, --runner-requests AMOUNTS
                        of each runner; cpu=2,memory=2Gi and cpu=250m,memory=512Mi if not given. May name one of the two
  --release RELEASE     the release of the load test chart in the same namespace whose values pods take (pull secrets,
                        nodes, labels, resources, images, the key); if not given, the only one there
  --image IMAGE         the k6 image of runners; if not given, that of the chart or of versions.json
  --start-within N      seconds for the runners to start; 180 if not given
  --keep                does not delete the TestRun and its pods
  --keep-results N      keeps the result in the namespace, up to N of each scenario, the newest: see main.ts results
  --keep-reports DIR    also keeps the report in this folder, up to N of each scenario (30 without --keep-results), and
                        an index.html that lists them, for a web server to serve
  --missed-exit-code N  what it ends with when a target is missed; 1 if not given, which is also what Node ends with when it
                        cannot start this program, so a script that must tell the two apart gives another number
  --wait                if another TestRun of bench is running in the namespace, wait for its end; else end with 2 and
                        name it
  --document            also keeps the results as the baseline of this cluster and writes the document; not with smoke`

export type ClusterValues = {
  readonly parallelism?: string | undefined
  readonly namespace?: string | undefined
  readonly 'runner-limits'?: string | undefined
  readonly 'runner-requests'?: string | undefined
  readonly image?: string | undefined
  readonly 'start-within'?: string | undefined
  readonly keep?: boolean | undefined
  readonly document?: boolean | undefined
  readonly release?: string | undefined
  readonly 'keep-results'?: string | undefined
  readonly 'keep-reports'?: string | undefined
  readonly 'missed-exit-code'?: string | undefined
  readonly wait?: boolean | undefined
  readonly 'results-dir'?: string | undefined
}

/** Reports of each scenario. */
const USUALLY_KEPT = 30

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
  const parallelism = wholeNumber('--parallelism', values.parallelism ?? '2', 1, MOST_RUNNERS)
  const startWithinSeconds = wholeNumber('--start-within', values['start-within'] ?? '180', 1, 86_400)
  const keepResults = values['keep-results'] && wholeNumber('--keep-results', values['keep-results'], 1, 1000)
  const whenMissed = wholeNumber('--missed-exit-code', values['missed-exit-code'] ?? String(EXIT.missed), 1, 125)
  const cluster = connect(values.namespace)
  await requireOperator(cluster)
  const podOptions = await readPodOptions(cluster, values.release)
  const resources = runnerResources(
    values['runner-limits'],
    values['runner-requests'],
    podOptions?.stored.runner.resources,
  )
  const ofChart = podOptions && { k6: podOptions.stored.runner.image, starter: podOptions.stored.starter.image }
  const images = { ...pinnedImages(), ...ofChart, ...(values.image === undefined ? {} : { k6: values.image }) }
  if (podOptions !== undefined) terminal.step(`  ✓ Pods as of release ${podOptions.release} of the load tests`)
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
        podOptions,
        startWithinSeconds,
        overrides,
        metricsUrl: process.env[REMOTE_WRITE_URL],
        keep: values.keep === true,
        terminal,
        signal,
      })
    const alone = () => whenAlone(cluster, { wait: values.wait === true, terminal, signal }, measure)
    const result = await measureAndJudge(scenario, alone, { resultsDir: values['results-dir'], terminal })
    results.push(result)
    if (keepResults) {
      const name = await keepInNamespace(cluster, result, keepResults).catch((error) => {
        throw new Failure(`the result cannot be kept in namespace "${cluster.namespace}": ${reasonOf(error)}`)
      })
      terminal.step(`  ✓ Result ${cluster.namespace}/${name} is kept: main.ts results ${name} reads it`)
    }
    if (values['keep-reports']) {
      // A verdict stands without its page, which can be made again from the result.
      const kept = await keepReport(values['keep-reports'], result, keepResults || USUALLY_KEPT).then(
        (path) => `✓ Report ${path} is kept`,
        (error: Error) => `! The report cannot be kept in ${values['keep-reports']}: ${error.message}`,
      )
      terminal.step(`  ${kept}`)
    }
  }
  const exitCode = printVerdicts(results, print, values.document ? undefined : '`run --cluster --document`')
  await printReport(results, print, values['results-dir'])
  if (values.document) await writeComplete(results, print)
  return exitCode === EXIT.missed ? whenMissed : exitCode
}
