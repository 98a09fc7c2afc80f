import { versionOfImage } from '@hopwhistle/platform/checkout/pinned-images.ts'
import type { Command } from '@hopwhistle/platform/command-line/command.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { parseOptions, wholeNumber } from '@hopwhistle/platform/command-line/parse-options.ts'
import { connect } from '@hopwhistle/platform/kubernetes/connect.ts'
import { keepAsKind, keepWithTestRun } from '../cluster/kept-result.ts'
import { type DistributedOptions, knownScenario, measureDistributed } from '../cluster/measure-distributed.ts'
import { findPlatform, platformAt } from '../cluster/platform.ts'
import { deleteTestRun, readTestRun, requireOperator, scenarioNameOf, settingOf } from '../cluster/test-runs.ts'
import { runSeconds } from '../cluster/time-limits.ts'
import { measureOwnOnCluster } from '../own/measure-on-cluster.ts'
import { OF_SCRIPTS } from '../own/own-evidence.ts'
import { isArchive, readOwnRun } from '../own/read-own-run.ts'
import { measureAndJudge } from '../run/measure-and-judge.ts'
import { CLUSTER_ENVIRONMENT_HELP } from './cluster-options.ts'
import { profileOf } from './measurement-options.ts'
import { printReport, printVerdicts, writeComplete } from './report-results.ts'
import { tellOwn } from './run-own-cluster.ts'

export const collect: Command = {
  summary: 'judge a TestRun that was applied by hand, running or over',
  help: `Usage: main.ts collect NAME [--namespace NS] [--results-dir DIR] [--document] [--delete]

Waits for the end of a TestRun of k6-operator, collects the result of every runner from its pod, merges and judges
them, and writes loadtests/results. It follows what is still running, and samples the
platform from now on. Call it before the load begins: evidence about a part of the run is not enough.

The result is kept with the TestRun, in ConfigMaps that are deleted with it. If you collect it
again, the run is judged by the evidence that was collected while it ran.

  --namespace NS      the namespace of the TestRun; that of the kubeconfig's context if not given
  --start-within N    seconds for the runners to start; 180 if not given
  --results-dir DIR   instead of loadtests/results
  --prometheus URL    for a script of your own: the Prometheus that the queries of its targets file ask; or PROMETHEUS_URL
  --document          also keeps the result as the baseline of this cluster and writes the document; not with smoke
  --delete            deletes the TestRun with its pods, once its result is written

Environment:
${CLUSTER_ENVIRONMENT_HELP}

Exit codes: as of main.ts baseline.
`,
  async run(args, { terminal, signal, print }) {
    const { values, positionals } = parseOptions(
      args,
      {
        namespace: { type: 'string' },
        'start-within': { type: 'string', default: '180' },
        'results-dir': { type: 'string' },
        prometheus: { type: 'string' },
        document: { type: 'boolean', default: false },
        delete: { type: 'boolean', default: false },
      },
      { min: 1, max: 1 },
    )
    const [name = ''] = positionals
    const cluster = connect(values.namespace)
    await requireOperator(cluster)
    const testRun = await readTestRun(cluster, name)
    if (testRun === undefined) {
      throw new Failure(`there is no TestRun "${name}" in namespace "${cluster.namespace}"; main.ts list shows them`)
    }
    const startWithinSeconds = wholeNumber('--start-within', values['start-within'], 1, 86_400)
    if (isArchive(testRun)) {
      const measured = await measureOwnOnCluster({
        cluster,
        name,
        testRun,
        run: await readOwnRun(cluster, testRun),
        parallelism: testRun.spec.parallelism,
        prometheus: values.prometheus ?? process.env.PROMETHEUS_URL,
        startWithinSeconds,
        terminal,
        signal,
      })
      const kept = await keepAsKind(cluster, name, measured, OF_SCRIPTS)
      if (kept.note !== undefined) terminal.step(`  - ${kept.note}`)
      const exitCode = await tellOwn(kept.result, values['results-dir'], print)
      if (values.delete) await deleteTestRun(cluster, name)
      return exitCode
    }
    const setting = (variable: string) => settingOf(testRun, variable)
    const scenario = knownScenario(scenarioNameOf(testRun))
    const profile = profileOf(setting('PROFILE'))
    const apiUrl = setting('API_URL') ?? ''
    const measurement: DistributedOptions = {
      cluster,
      name,
      testRun,
      scenario,
      profile,
      parallelism: testRun.spec.parallelism,
      apiUrl,
      platform: apiUrl ? await platformAt(cluster, apiUrl) : await findPlatform(cluster).catch(() => undefined),
      startWithinSeconds,
      runWithinSeconds: runSeconds(scenario, profile, testRun.spec.parallelism, {
        RAMP_SECONDS: setting('RAMP_SECONDS'),
        PEAK_SECONDS: setting('PEAK_SECONDS'),
      }),
      k6Version: setting('K6_VERSION') ?? versionOfImage(testRun.spec.runner?.image ?? ''),
      terminal,
      signal,
    }
    let note: string | undefined
    const measure = async () => {
      const kept = await keepWithTestRun(cluster, name, await measureDistributed(measurement))
      note = kept.note
      return kept.result
    }
    const result = await measureAndJudge(scenario, measure, { resultsDir: values['results-dir'], terminal })
    if (note !== undefined) terminal.step(`  - ${note}`)
    const exitCode = printVerdicts([result], print, values.document ? undefined : '`collect --document`')
    await printReport([result], print, values['results-dir'])
    if (values.document) await writeComplete([result], print)
    if (values.delete) await deleteTestRun(cluster, name)
    return exitCode
  },
}
