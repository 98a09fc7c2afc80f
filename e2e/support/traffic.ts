import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { ApiException, type V1Pod } from '@kubernetes/client-node'
import type { TrafficOrder, TrafficReport } from '../traffic/report.ts'
import type { Cluster } from './cluster.ts'
import { isReady } from './deployed.ts'

/** The program and all that it imports, by its path in the checkout. */
const PROGRAM = [
  ...['main', 'ingest', 'subscriber', 'report'].map((name) => `e2e/traffic/${name}.ts`),
  ...['sender', 'follow', 'live-connection', 'connection', 'backoff', 'problem'].map((name) => `client/src/${name}.ts`),
  ...['calls', 'live', 'routes'].map((name) => `contract/${name}.ts`),
]
/** A ConfigMap has no folders: they come back where it is mounted. */
const keyOf = (path: string) => path.replaceAll('/', '.')
const NAME = 'e2e-traffic'
const PORT = 8080

export type Traffic = {
  /** Begins the id of every event. */
  readonly prefix: string
  report(): Promise<TrafficReport>
  /** Resolves when so many more events have been acknowledged. */
  goesOn(events: number): Promise<void>
  /** Ends it, waits until every acknowledged event came live to every subscriber, and reports. */
  end(): Promise<TrafficReport>
}

/** Events a second: the load of the baselines. */
export const RATE_PER_SECOND = 500

export type TrafficOptions = Partial<Pick<TrafficOrder, 'ratePerSecond' | 'subscribeAt'>>

export type TrafficTarget = Pick<TrafficOrder, 'api' | 'apiKey'> & {
  /** An image with Node: the API's. */
  readonly image: string
}

/** Clients of the platform, in a pod of their own: they see it as any other program in the cluster does. */
export async function trafficIn(cluster: Cluster, namespace: string, { image, api, apiKey }: TrafficTarget) {
  await startPod(cluster, namespace, image)
  const proxy = `/api/v1/namespaces/${namespace}/pods/${NAME}:${PORT}/proxy`
  const tell = async (method: 'GET' | 'POST', path: string, body?: unknown) => {
    const answer = await cluster.ask(method, proxy + path, body === undefined ? {} : { body })
    if (answer.status !== 200) throw new Error(`the traffic pod answered ${answer.status}: ${answer.body}`)
    return JSON.parse(answer.body) as unknown
  }

  return {
    start: async ({ ratePerSecond = 30, subscribeAt = [api, api, api] }: TrafficOptions = {}): Promise<Traffic> => {
      const prefix = `e2e-${randomBytes(4).toString('hex')}`
      const report = async () => (await tell('GET', '/report')) as TrafficReport
      const goesOn = async (events: number) => {
        const before = (await report()).acknowledged.length
        const enough = async () => (await report()).acknowledged.length >= before + events
        await waitUntil(`${events} more events to be acknowledged`, enough, { timeoutMs: 60_000, everyMs: 200 })
      }
      await tell('POST', '/start', { prefix, apiKey, ratePerSecond, api, subscribeAt } satisfies TrafficOrder)
      await goesOn(ratePerSecond)
      return {
        prefix,
        report,
        goesOn,
        end: async () => {
          await tell('POST', '/stop')
          const last = await waitUntil(
            'every acknowledged event to be delivered live',
            async () => {
              const now = await report()
              const waiting = now.subscribers.filter(
                ({ missing, notRecovered }) => missing.length > 0 && notRecovered === 0,
              )
              if (waiting.length === 0) return now
              throw new Error(`missing are ${waiting.map(({ missing }) => missing.slice(0, 10).join(' ')).join('; ')}`)
            },
            { timeoutMs: 30_000, everyMs: 200 },
          )
          process.stdout.write(`${describe(last)}\n`)
          return last
        },
      }
    },
  }
}

function describe({ acknowledged, failures, slowestMs, subscribers }: TrafficReport): string {
  const count = (of: 'received' | 'connections') => subscribers.reduce((sum, each) => sum + each[of], 0)
  return `${acknowledged.length} events acknowledged, the slowest after ${slowestMs} ms, ${failures.length} attempts failed; ${count('received')} deliveries to ${subscribers.length} subscribers over ${count('connections')} connections`
}

async function startPod({ core }: Cluster, namespace: string, image: string): Promise<V1Pod> {
  const data = Object.fromEntries(
    PROGRAM.map((path) => [keyOf(path), readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')]),
  )
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: NAME }, data } }).catch(unlessThere)
  await core.createNamespacedPod({ namespace, body: podOf(image) }).catch(unlessThere)
  return waitUntil(
    'the traffic pod to run',
    async () => {
      const pod = await core.readNamespacedPod({ namespace, name: NAME })
      return isReady(pod) && pod
    },
    { timeoutMs: 60_000, everyMs: 200 },
  )
}

/** The tests of another file have started it. */
function unlessThere(error: unknown): void {
  if (!(error instanceof ApiException && error.code === 409)) throw error
}

const podOf = (image: string): V1Pod => ({
  metadata: { name: NAME, labels: { 'app.kubernetes.io/name': NAME } },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    volumes: [
      { name: 'program', configMap: { name: NAME, items: PROGRAM.map((path) => ({ key: keyOf(path), path })) } },
    ],
    containers: [
      {
        name: 'traffic',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['node', '/program/e2e/traffic/main.ts'],
        ports: [{ containerPort: PORT }],
        readinessProbe: { httpGet: { path: '/', port: PORT }, periodSeconds: 1 },
        resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '256Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [{ name: 'program', mountPath: '/program' }],
      },
    ],
  },
})
