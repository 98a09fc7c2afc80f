/** The schedule of the chart: a Job with the rights of its own service account, its verdict, and what stays of it. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { lookForHelm } from '@hopwhistle/platform/tools/find-helm.ts'
import { BatchV1Api } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listTestRuns } from '../../bench/cluster/test-runs.ts'
import { readResultFile } from '../../bench/run/result-files.ts'
import { bench } from '../support/bench.ts'
import { noOperator, type TestNamespace, testNamespace } from './support/operator.ts'

const CHART = fileURLToPath(new URL('../../../charts/hopwhistle-loadtests', import.meta.url))
const MINUTE = 60_000
const helm = lookForHelm()
const image = process.env.BENCH_IMAGE
const missing =
  noOperator ??
  (helm === undefined ? 'Helm is not installed' : undefined) ??
  (image ? undefined : 'BENCH_IMAGE does not name an image of loadtests/Dockerfile that the cluster has')

describe.skipIf(missing !== undefined)(`a schedule${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let place: TestNamespace
  beforeAll(async () => {
    place = await testNamespace()
  }, 2 * MINUTE)
  afterAll(() => place?.remove())

  test(
    'runs, judges, keeps the result for everybody, and its Job fails by a reason that says missed or invalid',
    async () => {
      const { namespace, cluster } = place
      const values = {
        ...{ apiUrl: `${place.apiUrl}/slow`, profile: 'smoke', parallelism: 2 },
        scenarios: { callStateUpdates: false },
        schedule: { enabled: true, image, cron: '0 0 1 1 *', platformNamespace: '' },
        pods: { annotations: { team: 'calls' } },
      }
      const rendered = execFileSync(helm!, ['template', 'nightly', CHART, '--namespace', namespace, '--values', '-'], {
        input: JSON.stringify(values),
      })
      execFileSync('kubectl', ['apply', '--namespace', namespace, '--filename', '-'], { input: rendered })
      const job = ['--from', 'cronjob/nightly-load-test']
      execFileSync('kubectl', ['create', 'job', 'first', '--namespace', namespace, ...job])

      const batch = cluster.config.makeApiClient(BatchV1Api)
      const seen = await waitUntil('a runner', async () => (await runnersOf(place))[0], SOON)
      // As the values of the chart say.
      expect(seen.metadata?.annotations).toMatchObject({ team: 'calls' })
      expect(seen.metadata?.labels).toMatchObject({ 'hopwhistle.io/pods-of': 'nightly' })
      const ended = await waitUntil(
        'the end of the Job',
        async () => {
          const { status } = await batch.readNamespacedJob({ name: 'first', namespace })
          return status?.conditions?.find(({ type, status }) => /^(Complete|Failed)$/.test(type) && status === 'True')
        },
        { timeoutMs: 4 * MINUTE, everyMs: 1_000 },
      )
      const log = execFileSync('kubectl', ['logs', 'job/first', '--namespace', namespace], { encoding: 'utf8' })

      const reader = bench()
      const listed = await reader.run('results', '--namespace', namespace)
      const [, name = ''] = /^\s*(call-state-updates-\S+)/m.exec(listed.stdout) ?? []
      expect(name, `${listed.stdout}${log}`).not.toBe('')
      const read = await reader.run('results', name, '--namespace', namespace, '--results-dir', reader.tempDir)
      const { verdict, runners } = readResultFile(`${reader.tempDir}/call-state-updates.json`)
      reader.remove()
      expect(runners).toHaveLength(2)
      const outcome = verdict?.outcome ?? 'none'
      process.stdout.write(`  ${outcome}, the Job ended with ${ended.reason}\n`)
      expect([outcome, ended.reason, read.code], log).toEqual(
        {
          met: ['met', 'CompletionsReached', 0],
          missed: ['missed', 'PodFailurePolicy', 1],
          invalid: ['invalid', 'BackoffLimitExceeded', 2],
        }[outcome as 'met'],
      )
      // Updates take twice as long as their target allows.
      expect(outcome).not.toBe('met')
      const { items } = await cluster.core.listNamespacedConfigMap({
        namespace,
        labelSelector: 'hopwhistle.io/kept-result',
      })
      expect(items[0]?.metadata?.labels).toMatchObject({ 'hopwhistle.io/outcome': outcome })
      expect(items[0]?.data?.verdict).toContain('call-state-updates')
      expect(await listTestRuns(cluster)).toEqual([])
    },
    8 * MINUTE,
  )
})

const SOON = { timeoutMs: 2 * MINUTE, everyMs: 500 }

const runnersOf = async ({ cluster, namespace }: TestNamespace) =>
  (await cluster.core.listNamespacedPod({ namespace, labelSelector: 'runner=true' })).items
