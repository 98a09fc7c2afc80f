import { randomBytes } from 'node:crypto'
import { connect } from '@hopwhistle/platform/kubernetes/connect.ts'
import { afterEach, expect, test, vi } from 'vitest'
import { keepInNamespace, keepWithTestRun, resultsInNamespace } from '../../bench/cluster/kept-result.ts'
import type { LoadtestResult } from '../../bench/evidence/loadtest-result.ts'
import { judgeRun } from '../../bench/judge/judge-run.ts'
import { distributedWith } from '../fixtures/distributed-with.ts'
import { type ApiServer, apiServer } from './support/api-server.ts'

let server: ApiServer | undefined
afterEach(() => {
  server?.close()
  vi.unstubAllEnvs()
})

async function cluster() {
  server = await apiServer()
  vi.stubEnv('KUBECONFIG', server.kubeconfig)
  return { server, cluster: connect() }
}

const whole = distributedWith({ runners: 2 })
/** As a second collection finds it. */
const late = (): LoadtestResult => {
  const { series: _, ...result } = whole
  return { ...result, server: { ...whole.server!, startedAt: '2026-11-20T11:00:00.000Z' } }
}

test('a result is kept with its TestRun, and given to whoever knows less of the run', async () => {
  const { server, cluster: there } = await cluster()
  expect(await keepWithTestRun(there, 'calls', whole)).toEqual({ result: whole })
  expect((await keepWithTestRun(there, 'calls', late())).result).toEqual(whole)
  const [map] = server.configMaps.values()
  // Kubernetes deletes it with the TestRun.
  expect(map?.metadata?.ownerReferences).toEqual([
    { apiVersion: 'k6.io/v1alpha1', kind: 'TestRun', name: 'calls', uid: 'first' },
  ])
})

test('one that knows more takes its place', async () => {
  const { server, cluster: there } = await cluster()
  await keepWithTestRun(there, 'calls', late())
  expect((await keepWithTestRun(there, 'calls', whole)).result).toEqual(whole)
  expect(server.configMaps.size).toBe(1)
  expect((await keepWithTestRun(there, 'calls', late())).result).toEqual(whole)
})

test('one that is too large for a ConfigMap takes several; without one of them nothing is kept', async () => {
  const { server, cluster: there } = await cluster()
  // Hardly to be compressed.
  const words = Array.from({ length: 2_000 }, () => randomBytes(800).toString('base64'))
  const large = { ...whole, server: { ...whole.server!, omitted: words } }
  await keepWithTestRun(there, 'calls', large)
  expect(server.configMaps.size).toBeGreaterThan(1)
  for (const { binaryData } of server.configMaps.values()) {
    expect(Buffer.from(binaryData?.['result.json.gz'] ?? '', 'base64').length).toBeLessThan(2 ** 20)
  }
  expect((await keepWithTestRun(there, 'calls', late())).result).toEqual(large)
  const [first = ''] = server.configMaps.keys()
  server.configMaps.delete(first)
  expect((await keepWithTestRun(there, 'calls', late())).result).toEqual(late())
})

test('that of an earlier TestRun of the same name is of another run', async () => {
  const { server, cluster: there } = await cluster()
  await keepWithTestRun(there, 'calls', whole)
  for (const { metadata } of server.configMaps.values()) metadata!.ownerReferences![0]!.uid = 'of-an-earlier-one'
  expect((await keepWithTestRun(there, 'calls', late())).result).toEqual(late())
})

test('of a namespace the newest results of each scenario are kept, with their verdicts as text', async () => {
  const { server, cluster: there } = await cluster()
  const judged = (runId: string, more: Partial<LoadtestResult> = {}): LoadtestResult => {
    const result = { ...whole, runId, ...more }
    return { ...result, verdict: judgeRun(result) }
  }
  for (const runId of ['monday', 'tuesday', 'wednesday']) await keepInNamespace(there, judged(runId), 2)
  await keepInNamespace(there, judged('monday', { scenario: 'reporting-endpoints' }), 2)
  await keepWithTestRun(there, 'calls', whole)
  const names = ['reporting-endpoints-monday', 'call-state-updates-wednesday', 'call-state-updates-tuesday']
  const kept = await resultsInNamespace(there)
  expect(kept.map(({ name }) => name)).toEqual(names)
  expect(kept[1]?.result).toEqual(judged('wednesday'))
  const map = [...server.configMaps.values()].find(({ metadata }) => metadata?.name?.includes('wednesday'))
  expect(map?.metadata?.labels).toMatchObject({ 'hopwhistle.io/outcome': judged('wednesday').verdict?.outcome })
  expect(map?.data?.verdict).toContain('call-state-updates')
})
