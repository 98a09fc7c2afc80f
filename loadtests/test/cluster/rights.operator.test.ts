/** A distributed run of somebody with few rights, and of two at once. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTestRun } from '../../bench/cluster/test-runs.ts'
import { readResultFile } from '../../bench/run/result-files.ts'
import { type Bench, bench } from '../support/bench.ts'
import { applyByHand } from './support/by-hand.ts'
import { noOperator, type TestNamespace, testNamespace, withOperator } from './support/operator.ts'

const MINUTE = 60_000
const USER = 'team-member'

describe.skipIf(noOperator !== undefined)(`a distributed run${withOperator}`, () => {
  let place: TestNamespace
  let job: Bench

  beforeAll(async () => {
    place = await testNamespace()
    // Long enough for two looks at the files of a pod.
    job = bench({ PEAK_SECONDS: '30', RAMP_SECONDS: '2', RATE: '60' })
  }, 2 * MINUTE)
  afterAll(async () => {
    job?.remove()
    await place?.remove()
  })

  const command = () => [
    ...['run', 'call-state-updates', '--cluster', '--profile', 'smoke', '--parallelism', '2'],
    ...['--namespace', place.namespace, '--results-dir', job.tempDir, '--api-url', place.apiUrl],
  ]

  test(
    'of an editor of the namespace, who may not ask the kubelets, knows the CPU of its runners and their node',
    async () => {
      const KUBECONFIG = await kubeconfigOf(place, 'edit', job.tempDir)
      const editor = bench({ PEAK_SECONDS: '30', RAMP_SECONDS: '2', RATE: '60', KUBECONFIG })
      await editor.run(...command())
      editor.remove()
      const { server, verdict, runners } = readResultFile(`${job.tempDir}/call-state-updates.json`)
      expect(runners).toHaveLength(2)
      const rules = verdict?.reasons.filter(({ effect }) => effect === 'invalid').map(({ rule, text }) => [rule, text])
      expect(rules?.filter(([, text]) => text?.includes('not known'))).toEqual([])
      const pods = server?.kubernetes?.pods.filter(({ kind }) => kind === 'k6') ?? []
      expect(pods).toHaveLength(2)
      for (const { cpuCores, throttled, memoryBytes } of pods) {
        expect(valuesOf(cpuCores).some((cores) => cores > 0)).toBe(true)
        expect(valuesOf(throttled).length).toBeGreaterThan(1)
        expect(Math.max(...valuesOf(memoryBytes))).toBeGreaterThan(10_000_000)
      }
      expect(server?.kubernetes?.nodes[0]?.cores).toBeGreaterThan(0)
    },
    4 * MINUTE,
  )

  test(
    'is refused while another one is not over, which is named; with --wait it follows it',
    async () => {
      await applyByHand(place, 'first', { overrides: { PEAK_SECONDS: '20', RAMP_SECONDS: '1', RATE: '60' } })
      const refused = await job.run(...command())
      expect(refused.code).toBe(2)
      expect(refused.stderr).toContain(`TestRun "first" in namespace "${place.namespace}" is not over`)
      expect(refused.stderr).toContain(`main.ts stop first --namespace ${place.namespace}`)
      const followed = await job.run(...command(), '--wait')
      expect((await readTestRun(place.cluster, 'first'))?.status?.stage).toBe('finished')
      expect(followed.stdout).toContain('call-state-updates')
      expect(readResultFile(`${job.tempDir}/call-state-updates.json`).runners).toHaveLength(2)
    },
    6 * MINUTE,
  )
})

const valuesOf = (series: readonly (number | null)[] | number): readonly number[] =>
  (typeof series === 'number' ? [series] : series).filter((value) => value !== null)

/** A user of the cluster with a role of Kubernetes's own in the namespace, and nothing else. */
async function kubeconfigOf(place: TestNamespace, role: string, dir: string): Promise<string> {
  const { objects, namespace, cluster } = place
  const metadata = { name: USER, namespace }
  const subject = { kind: 'ServiceAccount', name: USER, namespace }
  await objects.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata })
  await objects.create({
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata, subjects: [subject] },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  } as never)
  // k6-operator gives nobody its rights.
  await objects.create({
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'test-runs', namespace } },
    rules: [{ apiGroups: ['k6.io'], resources: ['testruns'], verbs: ['create', 'get', 'list', 'delete'] }],
  } as never)
  await objects.create({
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', subjects: [subject] },
    metadata: { name: 'test-runs', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'test-runs' },
  } as never)
  const { status } = await cluster.core.createNamespacedServiceAccountToken({
    ...{ name: USER, namespace },
    body: { spec: { audiences: [] } } as never,
  })
  const file = join(dir, 'kubeconfig')
  const { caData, server } = cluster.config.getCurrentCluster()!
  writeFileSync(
    file,
    JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
      clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': caData } }],
      users: [{ name: USER, user: { token: status?.token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: USER, namespace } }],
    }),
  )
  return file
}
