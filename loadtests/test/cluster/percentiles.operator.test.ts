/** The merged percentiles of four runners, beside those of every single latency that they measured. */

import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collectResults, podLogs } from '../../bench/cluster/runner-results.ts'
import { watchTestRun } from '../../bench/cluster/watch-test-run.ts'
import { restrictedContainer, restrictedPod } from '../../kubernetes/restricted.ts'
import type { TestRun } from '../../kubernetes/test-run.ts'
import { histogramCount, mergeHistograms, nearestRank, percentileMs } from '../../scenarios/lib/histogram.ts'
import { totalsOf } from '../../scenarios/lib/totals.ts'
import { applyByHand } from './support/by-hand.ts'
import { noOperator, type TestNamespace, testNamespace, withOperator } from './support/operator.ts'

const RUNNERS = 4
const NAME = 'raw'
const K6_USER = 12345

describe.skipIf(noOperator !== undefined)(`four runners${withOperator}`, () => {
  let place: TestNamespace
  beforeAll(async () => {
    place = await testNamespace()
  }, 120_000)
  afterAll(() => place?.remove())

  test('merge to the percentiles of all their raw samples within 1 %, and to their exact counts', async () => {
    const { cluster, objects, namespace } = place
    await objects.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: NAME, namespace },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    } as never)
    await applyByHand(place, NAME, {
      parallelism: RUNNERS,
      overrides: { RATE: '150', VUS: '80', RAMP_SECONDS: '2', PEAK_SECONDS: '20' },
      change: withRawSamples,
    })
    const watched = await watchTestRun({
      ...{ cluster, name: NAME, parallelism: RUNNERS, startWithinSeconds: 120, runWithinSeconds: 120 },
    })
    const { result } = await collectResults(watched.runners, podLogs(cluster))
    expect(result?.runners.map(({ instance }) => instance)).toEqual(['1', '2', '3', '4'])

    const raw = (await rawSamples(place)).sort((a, b) => a - b)
    const { counters, histograms } = totalsOf(result?.runners ?? [])
    const merged = mergeHistograms(Object.values(histograms))
    expect(raw.length).toBeGreaterThan(2_500)
    expect(histogramCount(merged)).toBe(raw.length)
    expect((counters.updates_sent_ramp ?? 0) + (counters.updates_sent_peak ?? 0)).toBe(raw.length)
    expect((counters.updates_ok_ramp ?? 0) + (counters.updates_ok_peak ?? 0)).toBe(raw.length)
    for (const percent of [50, 95, 99, 99.9]) {
      const exact = raw[nearestRank(percent, raw.length) - 1] ?? 0
      const read = percentileMs(merged, percent) ?? 0
      const says = `p${percent} of ${raw.length}: ${read.toFixed(3)} ms merged, ${exact.toFixed(3)} ms of raw samples`
      process.stdout.write(`  ${says}, ${((100 * (read - exact)) / exact).toFixed(2)} %\n`)
      // k6 writes whole microseconds.
      expect(Math.abs(read - exact) / exact, says).toBeLessThan(0.0102)
    }
  }, 300_000)
})

/** k6 writes every sample to a file of its own on a volume that all runners share. */
function withRawSamples(run: TestRun): object {
  const { runner } = run.spec
  return {
    ...run,
    spec: {
      ...run.spec,
      args: [...run.spec.args, '--out', 'csv=/raw/$(INSTANCE).csv'],
      initializer: { ...run.spec.initializer, env: [...run.spec.initializer.env, { name: 'INSTANCE', value: 'none' }] },
      runner: {
        ...runner,
        volumes: [...runner.volumes, { name: 'raw', persistentVolumeClaim: { claimName: NAME } }],
        volumeMounts: [...runner.volumeMounts, { name: 'raw', mountPath: '/raw' }],
      },
    },
  }
}

/** The duration of every request of the scenario, from what k6 wrote. */
async function rawSamples({ objects, cluster, namespace }: TestNamespace): Promise<number[]> {
  // The request of `setup` is in there too, without a scenario.
  const read = `cat /raw/*.csv | grep '^http_req_duration,' | grep ',updates,' | cut -d, -f3`
  await objects.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'reader', namespace },
    spec: {
      restartPolicy: 'Never',
      securityContext: restrictedPod(K6_USER),
      containers: [
        {
          name: 'k6',
          image: 'grafana/k6:1.8.1',
          command: ['sh', '-c', read],
          securityContext: restrictedContainer(),
          resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { cpu: '500m', memory: '64Mi' } },
          volumeMounts: [{ name: 'raw', mountPath: '/raw' }],
        },
      ],
      volumes: [{ name: 'raw', persistentVolumeClaim: { claimName: NAME } }],
    },
  } as never)
  const phase = await waitUntil(
    'the raw samples',
    async () => {
      const { status } = await cluster.core.readNamespacedPod({ name: 'reader', namespace })
      return status?.phase === 'Succeeded' || status?.phase === 'Failed' ? status.phase : undefined
    },
    { timeoutMs: 60_000, everyMs: 500 },
  )
  const log = await cluster.core.readNamespacedPodLog({ name: 'reader', namespace })
  expect(phase, log).toBe('Succeeded')
  return log.split('\n').filter(Boolean).map(Number)
}
