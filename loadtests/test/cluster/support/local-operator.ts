/**
 * A cluster of one machine without containers: an API server that keeps what it is given, and what k6-operator 1.6 does
 * with a TestRun that runs an archive, by real k6 processes with the same command lines, environment, logs and REST APIs.
 *
 * What it is not: it has no images, quotas or policies, one node, and no kubelet that tells of CPU before it is told what.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'

type Kept = {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[]
  }
  readonly data?: Readonly<Record<string, string>>
  readonly binaryData?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
}
type Variable = {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } }
}
type TestRun = Kept & {
  readonly spec: {
    readonly parallelism: number
    readonly args: readonly string[]
    readonly script: { readonly configMap: { readonly name: string; readonly file: string } }
    readonly runner: { readonly image: string; readonly env: readonly Variable[] }
  }
}
type Runner = {
  readonly pod: string
  readonly job: string
  readonly port: number
  readonly child: ChildProcess
  /** As the pod was made. */
  readonly env: readonly Variable[]
  log: string
  /** Whether its REST API has answered somebody. */
  followed: boolean
  exitCode?: number
}
type Run = {
  readonly testRun: TestRun
  readonly uid: string
  stage: string
  runners: Runner[]
  operatorSays: string
  /** How often it was read. */
  reads: number
}

export type LocalOperator = {
  readonly kubeconfig: string
  /** All that is there, by kind and name: `ConfigMap checkout-…`. */
  kept(): readonly string[]
  /** Applies objects as kubectl does. */
  apply(...objects: readonly object[]): void
  /** The environment that the runners had, as it was given to their containers. */
  readonly environments: Readonly<Record<string, string>>[]
  /** The next runner of this number is gone a second after it was told to begin, as when its node is lost. */
  lose(instance: number): void
  /** From now on the kubelet tells that the CPU of runners is throttled in this part of the time. */
  throttle(part: number): void
  /** Changes what a ConfigMap holds. */
  change(configMap: string, change: (data: Readonly<Record<string, string>>) => Readonly<Record<string, string>>): void
  /** Deletes all objects of a kind whose name matches. */
  forget(kind: string, name: RegExp): void
  close(): void
}

const NODE = 'node-1'
/** Once by `collect` itself, and twice while it watches. */
const READS_BEFORE = 3
const NAMESPACE = 'load'

export async function localOperator(k6: string): Promise<LocalOperator> {
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-local-operator-'))
  const objects = new Map<string, Kept>()
  const runs = new Map<string, Run>()
  const environments: Record<string, string>[] = []
  let made = 0
  let lost: number | undefined
  let throttled: number | undefined
  const beganAt = Date.now()

  const keep = (object: Kept) => {
    objects.set(`${object.kind} ${object.metadata.name}`, object)
    if (object.kind !== 'TestRun') return
    made += 1
    const run: Run = {
      testRun: object as TestRun,
      uid: `uid-${made}`,
      stage: '',
      runners: [],
      operatorSays: '',
      reads: 0,
    }
    runs.set(object.metadata.name, run)
    operate(run).catch((error: Error) => {
      run.stage = 'error'
      run.operatorSays = error.message
    })
  }

  /** As the operator does it: initializer, runners, starter. */
  async function operate(run: Run): Promise<void> {
    const { spec, metadata } = run.testRun
    const { configMap } = spec.script
    const content = objects.get(`ConfigMap ${configMap.name}`)?.binaryData?.[configMap.file] ?? ''
    const folder = join(dir, metadata.name)
    mkdirSync(folder)
    const script = join(folder, configMap.file)
    writeFileSync(script, Buffer.from(content, 'base64'))
    run.stage = 'initialization'
    const again = join(folder, 'archived.tar')
    const call = (...args: string[]) => promisify(execFile)(k6, args, { env: ENVIRONMENT, maxBuffer: 1 << 26 })
    await call('archive', script, '-O', again)
    const { maxVUs } = JSON.parse((await call('inspect', '--execution-requirements', again)).stdout) as {
      maxVUs: number
    }
    if (maxVUs < spec.parallelism) throw new Error('number of instances > number of VUs')
    run.stage = 'initialized'
    for (let i = 1; i <= spec.parallelism; i++) run.runners.push(await startRunner(run, script, i))
    run.stage = 'created'
    // Also on a slow machine, the command that collects the run sees it from its beginning.
    const isWatched = () => run.reads >= READS_BEFORE && run.runners.every(({ followed }) => followed)
    for (let i = 0; !isWatched() && i < 600; i++) await sleep(100)
    for (const { port } of run.runners) await told(port)
    run.stage = 'started'
    const gone = lost === undefined ? undefined : run.runners[lost - 1]
    if (gone !== undefined) setTimeout(() => gone.child.kill('SIGKILL'), 1_000)
    await Promise.all(run.runners.map(({ child }) => new Promise((resolve) => child.once('close', resolve))))
    run.stage = 'finished'
  }

  async function startRunner({ testRun }: Run, script: string, i: number): Promise<Runner> {
    const { parallelism, args, runner } = testRun.spec
    const edge = (n: number) => (n === 0 ? '0' : n === parallelism ? '1' : `${n}/${parallelism}`)
    const segment = [
      `--execution-segment=${edge(i - 1)}:${edge(i)}`,
      `--execution-segment-sequence=${Array.from({ length: parallelism + 1 }, (_, n) => edge(n)).join(',')}`,
    ]
    const given = Object.fromEntries(runner.env.map((variable) => [variable.name, resolved(variable)]))
    environments.push(given)
    const port = await freePort()
    const command = [
      ...['run', '--quiet', ...(parallelism > 1 ? segment : []), ...args, script],
      ...[`--address=127.0.0.1:${port}`, '--paused', '--tag', `instance_id=${i}`],
    ]
    const child = spawn(k6, command, { env: { ...ENVIRONMENT, ...given }, stdio: ['ignore', 'pipe', 'pipe'] })
    const job = `${testRun.metadata.name}-${i}`
    const made: Runner = { pod: `${job}-x7k2p`, job, port, child, env: runner.env, log: '', followed: false }
    // Both outputs in one log, as of a container.
    for (const output of [child.stdout, child.stderr]) output?.on('data', (text) => (made.log += text))
    child.once('close', (code) => (made.exitCode = code ?? 137))
    return made
  }

  const resolved = ({ value, valueFrom }: Variable): string => {
    const { name = '', key = '' } = valueFrom?.secretKeyRef ?? {}
    return value ?? objects.get(`Secret ${name}`)?.stringData?.[key] ?? ''
  }

  const podOf = (run: Run, { pod, job, exitCode, env }: Runner) => ({
    metadata: {
      ...{ name: pod, namespace: NAMESPACE, creationTimestamp: new Date().toISOString() },
      labels: { app: 'k6', k6_cr: run.testRun.metadata.name, runner: 'true', 'job-name': job },
    },
    spec: { nodeName: NODE, containers: [{ name: 'k6', env }] },
    status: {
      containerStatuses: [
        { name: 'k6', state: exitCode === undefined ? { running: {} } : { terminated: { exitCode, reason: 'Ended' } } },
      ],
    },
  })
  const testRunOf = ({ testRun, uid, stage }: Run) => ({
    ...testRun,
    metadata: { ...testRun.metadata, namespace: NAMESPACE, uid, creationTimestamp: new Date().toISOString() },
    status: { stage },
  })
  /** With what belongs to it. */
  const remove = (name: string): boolean => {
    const run = runs.get(name)
    for (const { child } of run?.runners ?? []) child.kill('SIGKILL')
    for (const kind of ['TestRun', 'ConfigMap', 'Secret']) objects.delete(`${kind} ${name}`)
    for (const [key, { metadata }] of objects) {
      if (metadata.ownerReferences?.some((owner) => owner.kind === 'TestRun' && owner.name === name))
        objects.delete(key)
    }
    return runs.delete(name)
  }

  const cadvisor = (names: readonly string[]) => {
    const now = Date.now()
    const seconds = (now - beganAt) / 1000
    const lines = names.flatMap((pod) => {
      const labels = `{container="",id="/kubepods/${pod}",namespace="${NAMESPACE}",pod="${pod}"}`
      return [
        `container_cpu_usage_seconds_total{cpu="total",id="/kubepods/${pod}",namespace="${NAMESPACE}",pod="${pod}"} ${seconds / 9} ${now}`,
        `container_cpu_cfs_periods_total${labels} ${seconds * 10} ${now}`,
        `container_cpu_cfs_throttled_periods_total${labels} ${seconds * 10 * (throttled ?? 0)} ${now}`,
      ]
    })
    const node = `container_cpu_usage_seconds_total{cpu="total",id="/",namespace="",pod=""} ${seconds / 2} ${now}`
    return [node, ...lines, 'machine_cpu_cores{boot_id="b"} 2'].join('\n')
  }

  const list = (items: readonly unknown[]) => ({ metadata: {}, items })
  const KINDS = { configmaps: 'ConfigMap', secrets: 'Secret' } as const
  async function answer(method: string, url: URL, body: string): Promise<readonly [status: number, content: unknown]> {
    const path = url.pathname
    const selector = url.searchParams.get('labelSelector') ?? ''
    const all = `/api/v1/namespaces/${NAMESPACE}`
    if (path === '/apis') return [200, { groups: [{ versions: [{ groupVersion: 'k6.io/v1alpha1' }] }] }]
    if (path === '/api/v1')
      return [200, { resources: Object.entries(KINDS).map(([name, kind]) => ({ name, kind, namespaced: true })) }]
    const testRuns = `/apis/k6.io/v1alpha1/namespaces/${NAMESPACE}/testruns`
    if (path === testRuns && method === 'GET') return [200, list([...runs.values()].map(testRunOf))]
    if (path === testRuns) {
      const testRun = JSON.parse(body) as TestRun
      keep(testRun)
      return [201, testRunOf(runs.get(testRun.metadata.name)!)]
    }
    if (path.startsWith(`${testRuns}/`)) {
      const name = path.slice(testRuns.length + 1)
      const run = runs.get(name)
      if (run === undefined) return [404, { message: 'not found' }]
      if (method !== 'DELETE') run.reads += 1
      if (method !== 'DELETE') return [200, testRunOf(run)]
      remove(name)
      return [200, {}]
    }
    const pods = [...runs.values()].flatMap((run) => run.runners.map((runner) => ({ run, runner })))
    if (path === `${all}/pods`) {
      const wanted = pods.filter(
        ({ run }) => selector.includes('runner=true') && selector.includes(`k6_cr=${run.testRun.metadata.name}`),
      )
      return [200, list(wanted.map(({ run, runner }) => podOf(run, runner)))]
    }
    const named = pods.find(({ runner }) => path.startsWith(`${all}/pods/${runner.pod}`))?.runner
    if (named !== undefined && path.endsWith('/log')) return [200, named.log]
    const [, proxied] = /:6565\/proxy(\/.*)$/.exec(path) ?? []
    if (named !== undefined && proxied !== undefined) {
      const response = await fetch(`http://127.0.0.1:${named.port}${proxied}`).catch(() => undefined)
      if (response?.ok) named.followed = true
      return response === undefined ? [503, { message: 'no answer' }] : [response.status, await response.text()]
    }
    for (const [plural, kind] of Object.entries(KINDS)) {
      if (path === `${all}/${plural}` && method === 'GET') {
        const [label = ''] = selector.split(/[=,]/)
        const those = [...objects.values()].filter((one) => one.kind === kind && label in (one.metadata.labels ?? {}))
        return [200, list(those)]
      }
      if (path === `${all}/${plural}`) {
        keep({ kind, ...(JSON.parse(body) as Omit<Kept, 'kind'>) })
        return [201, JSON.parse(body)]
      }
      const one = objects.get(`${kind} ${path.slice(`${all}/${plural}/`.length)}`)
      if (path.startsWith(`${all}/${plural}/`) && one !== undefined) {
        if (method === 'DELETE') objects.delete(`${kind} ${one.metadata.name}`)
        return [200, one]
      }
    }
    if (path === `/api/v1/nodes/${NODE}/proxy/metrics/cadvisor` && throttled !== undefined) {
      const running = pods.filter(({ runner }) => runner.exitCode === undefined)
      return [200, cadvisor(running.map(({ runner }) => runner.pod))]
    }
    if (path === `${all}/events` || path === '/api/v1/nodes') return [200, list([])]
    return [404, { message: `${method} ${path} is not known here` }]
  }

  const server = createServer(async (request, response) => {
    const body = await bodyOf(request)
    const [status, content] = await answer(request.method ?? 'GET', new URL(request.url ?? '/', 'http://here'), body)
    const isText = typeof content === 'string'
    response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json' })
    response.end(isText ? content : JSON.stringify(content))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
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
  return {
    kubeconfig,
    environments,
    lose: (instance) => {
      lost = instance
    },
    throttle: (part) => {
      throttled = part
    },
    change(name, change) {
      const map = objects.get(`ConfigMap ${name}`)
      if (map !== undefined) objects.set(`ConfigMap ${name}`, { ...map, data: change(map.data ?? {}) })
    },
    forget(kind, name) {
      for (const [key, object] of objects)
        if (object.kind === kind && name.test(object.metadata.name)) objects.delete(key)
    },
    kept: () => [...objects.keys()].sort(),
    apply(...given) {
      for (const object of given) keep(object as Kept)
    },
    close() {
      for (const name of runs.keys()) remove(name)
      server.closeAllConnections()
      server.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const ENVIRONMENT = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/' }

/** As the starter does it, with patience. */
async function told(port: number): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const body = JSON.stringify({
      data: { attributes: { paused: false, stopped: false }, id: 'default', type: 'status' },
    })
    const answered = await fetch(`http://127.0.0.1:${port}/v1/status`, { method: 'PATCH', body }).catch(() => undefined)
    if (answered?.ok) return
    await sleep(100)
  }
  throw new Error(`the runner at port ${port} did not come up`)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}
