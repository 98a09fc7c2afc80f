/**
 * An API server of Kubernetes with one TestRun of one runner in it, for tests of what `bench` asks and writes there. It
 * answers over HTTP; the runner's log is a result as k6 leaves it.
 *
 * created ──a kubelet and the runner were asked──▶ started ──again, several times──▶ finished
 *
 * The run goes on with what is asked, so that a slow machine sees as much of it as a fast one.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { V1ConfigMap } from '@kubernetes/client-node'
import { LOADTEST_LABELS, SCENARIO_LABEL } from '../../../kubernetes/test-run.ts'
import { toLogLines } from '../../../scenarios/lib/result-lines.ts'
import { resultWith } from '../../fixtures/result-with.ts'

export type ApiServer = {
  readonly kubeconfig: string
  readonly configMaps: Map<string, V1ConfigMap>
  /** Variables that the TestRun gives to runners now; the runner's pod keeps those that it was made with. */
  readonly env: Record<string, string>
  /** Whether ConfigMaps are refused, as to somebody without the right. */
  forbidConfigMaps: boolean
  /** As after the end of the run, when it is made once. */
  readonly stage: () => string
  close(): void
}

const NAME = 'calls'
const NAMESPACE = 'load'
const POD = `${NAME}-1-x7k2p`
const NODE = 'node-1'
const LOOKS_BEFORE = 2
const LOOKS_DURING = 4

export type ApiServerOptions = {
  /** The part of the runner's time in which its CPU is throttled. */
  readonly throttled?: number
  /** Why no pod is made for the runner: then there is none, and an event of its Job. */
  readonly refused?: string
}

export async function apiServer({ throttled = 0, refused }: ApiServerOptions = {}): Promise<ApiServer> {
  const configMaps = new Map<string, V1ConfigMap>()
  const env: Record<string, string> = {
    ...{ PROFILE: 'smoke', RUN_ID: 'again', API_URL: 'http://somewhere.example.com:3001', RESULTS_DIR: 'log' },
  }
  const madeWith = Object.entries(env).map(([name, value]) => ({ name, value }))
  const beganAt = Date.now()
  let made = 0
  let looks = 0
  let asked = 0
  let startedAt: number | undefined
  let endedAt: number | undefined
  const advance = () => {
    if (startedAt === undefined && looks >= LOOKS_BEFORE && asked >= LOOKS_BEFORE) {
      startedAt = Date.now()
      looks = 0
      asked = 0
    } else if (startedAt !== undefined && looks >= LOOKS_DURING && asked >= LOOKS_DURING) endedAt ??= Date.now()
  }
  const stage = () => (endedAt !== undefined ? 'finished' : startedAt !== undefined ? 'started' : 'created')
  const state = { forbidConfigMaps: false }

  const testRun = () => ({
    metadata: {
      ...{ name: NAME, namespace: NAMESPACE, uid: 'first' },
      labels: { ...LOADTEST_LABELS, [SCENARIO_LABEL]: 'call-state-updates' },
      creationTimestamp: new Date(beganAt).toISOString(),
    },
    spec: {
      parallelism: 1,
      runner: { image: 'grafana/k6:1.8.1', env: Object.entries(env).map(([name, value]) => ({ name, value })) },
    },
    status: { stage: stage() },
  })
  const pod = () => ({
    metadata: {
      ...{ name: POD, namespace: NAMESPACE, creationTimestamp: new Date(beganAt).toISOString() },
      labels: { app: 'k6', k6_cr: NAME, runner: 'true', 'job-name': `${NAME}-1` },
    },
    spec: {
      nodeName: NODE,
      containers: [{ name: 'k6', env: madeWith, resources: { limits: { cpu: '500m', memory: '1Gi' } } }],
    },
    status: {
      phase: endedAt === undefined ? 'Running' : 'Succeeded',
      containerStatuses: [
        {
          name: 'k6',
          state: endedAt === undefined ? { running: {} } : { terminated: { exitCode: 0, reason: 'Completed' } },
        },
      ],
    },
  })
  const cadvisor = () => {
    looks += endedAt === undefined ? 1 : 0
    advance()
    const now = Date.now()
    const seconds = (now - beganAt) / 1000
    const labels = `{container="",id="/kubepods/pod1",namespace="${NAMESPACE}",pod="${POD}"}`
    return [
      `container_cpu_usage_seconds_total{cpu="total",id="/",namespace="",pod=""} ${seconds} ${now}`,
      `container_cpu_usage_seconds_total${labels} ${seconds / 2} ${now}`,
      `container_memory_working_set_bytes${labels} 1.5e+08 ${now}`,
      `container_cpu_cfs_periods_total${labels} ${seconds * 1000} ${now}`,
      `container_cpu_cfs_throttled_periods_total${labels} ${seconds * 1000 * throttled} ${now}`,
      'machine_cpu_cores{boot_id="b"} 2',
    ].join('\n')
  }
  const metrics = () => {
    asked += endedAt === undefined ? 1 : 0
    advance()
    return { data: [] }
  }
  const log = () => {
    if (startedAt === undefined || endedAt === undefined) return ''
    const { server: _, environment: __, series: ___, ...result } = resultWith({ profile: 'smoke' })
    const peakSeconds = (endedAt - startedAt) / 1000
    const runners = result.runners.map(({ exitCode: _, ...runner }) => ({
      ...runner,
      startedAt: new Date(startedAt ?? 0).toISOString(),
      endedAt: new Date(endedAt ?? 0).toISOString(),
      settings: {
        ...runner.settings,
        // However long it took, it sent what it was set to.
        targetPerSecond: 1,
        phases: [
          { name: 'ramp', fromSeconds: 0, toSeconds: 0.001 },
          { name: 'peak', fromSeconds: 0.001, toSeconds: peakSeconds },
        ],
      },
    }))
    return toLogLines(JSON.stringify({ ...result, runId: 'again', runners })).join('\n')
  }

  const list = (items: readonly unknown[]) => ({ metadata: {}, items })
  const answer = (method: string, url: URL, body: string): readonly [status: number, content: unknown] => {
    const path = url.pathname
    const selector = url.searchParams.get('labelSelector') ?? ''
    const inNamespace = `/api/v1/namespaces/${NAMESPACE}`
    if (path === '/apis') return [200, { groups: [{ versions: [{ groupVersion: 'k6.io/v1alpha1' }] }] }]
    const testRuns = `/apis/k6.io/v1alpha1/namespaces/${NAMESPACE}/testruns`
    if (path === testRuns) return [200, list([testRun()])]
    if (path === `${testRuns}/${NAME}`) return [200, testRun()]
    if (path === `${inNamespace}/pods`)
      return [200, list(selector.includes('runner=true') && refused === undefined ? [pod()] : [])]
    if (path === `${inNamespace}/pods/${POD}/log`) return [200, log()]
    if (path.startsWith(`${inNamespace}/pods/${POD}:6565/proxy`)) return [200, metrics()]
    if (path === `/api/v1/nodes/${NODE}/proxy/metrics/cadvisor`) return [200, cadvisor()]
    if (path === '/api/v1/nodes') return [200, list([])]
    if (path.startsWith(`${inNamespace}/configmaps`)) {
      if (state.forbidConfigMaps) return [403, { message: 'configmaps is forbidden' }]
      const name = path.slice(`${inNamespace}/configmaps/`.length)
      if (method === 'GET') {
        const isSelected = ({ metadata }: V1ConfigMap) =>
          selector.split(',').every((clause) => {
            const [label = '', value = metadata?.labels?.[label]] = clause.split('=')
            return value !== undefined && metadata?.labels?.[label] === value
          })
        return [200, list([...configMaps.values()].filter(isSelected))]
      }
      if (method === 'DELETE') return [configMaps.delete(name) ? 200 : 404, {}]
      const map = JSON.parse(body) as V1ConfigMap
      made += 1
      const creationTimestamp = new Date(beganAt + made * 1_000).toISOString()
      configMaps.set(map.metadata?.name ?? '', { ...map, metadata: { ...map.metadata, creationTimestamp } } as never)
      return [201, map]
    }
    if (path === `${inNamespace}/events`) return [200, list(refused === undefined ? [] : [refusal(refused)])]
    if (path.endsWith('/services') || path.endsWith('/secrets')) return [200, list([])]
    return [404, { message: `${method} ${path} is not known here` }]
  }

  const server = createServer(async (request, response) => {
    const body = await bodyOf(request)
    const [status, content] = answer(request.method ?? 'GET', new URL(request.url ?? '/', 'http://here'), body)
    const isText = typeof content === 'string'
    response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json' })
    response.end(isText ? content : JSON.stringify(content))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-api-server-'))
  const kubeconfig = join(dir, 'kubeconfig')
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
      clusters: [{ name: 'test', cluster: { server: address, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'test', user: {} }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: NAMESPACE } }],
    }),
  )
  return Object.assign(state, {
    ...{ kubeconfig, configMaps, env, stage },
    close: () => {
      server.closeAllConnections()
      server.close()
      rmSync(dir, { recursive: true, force: true })
    },
  })
}

const refusal = (message: string) => ({
  metadata: { name: `${NAME}-1.1` },
  involvedObject: { kind: 'Job', name: `${NAME}-1` },
  ...{ type: 'Warning', reason: 'FailedCreate', message, lastTimestamp: new Date().toISOString() },
})

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}
