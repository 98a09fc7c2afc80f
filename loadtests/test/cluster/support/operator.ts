/** A namespace of a test's own in a real cluster with k6-operator, with something in it to put under load. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Cluster, connect } from '@hopwhistle/platform/kubernetes/connect.ts'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { CoreV1Api, KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node'
import { requireOperator } from '../../../bench/cluster/test-runs.ts'
import { restrictedContainer, restrictedPod } from '../../../kubernetes/restricted.ts'

/** Why tests on a cluster cannot run here; undefined when they can. */
export const noOperator: string | undefined = await (async () => {
  if (!process.env.KUBECONFIG) return 'KUBECONFIG is not set'
  try {
    await requireOperator(connect())
    return undefined
  } catch (error) {
    return (error as Error).message.split(/[:;.]/)[0]
  }
})()

/** A suffix for the names of tests that are skipped without an operator. */
export const withOperator = noOperator === undefined ? '' : ` (skipped: ${noOperator})`

export type TestNamespace = {
  readonly namespace: string
  readonly cluster: Cluster
  readonly objects: KubernetesObjectApi
  /** As pods reach it. */
  readonly apiUrl: string
  remove(): Promise<void>
}

const API = readFileSync(new URL('./slow-api.mjs', import.meta.url), 'utf8')

/** With Pod Security `restricted` enforced, as a careful cluster has it. */
export async function testNamespace(): Promise<TestNamespace> {
  const namespace = `loadtest-${randomBytes(4).toString('hex')}`
  const config = new KubeConfig()
  config.loadFromDefault()
  const objects = KubernetesObjectApi.makeApiClient(config)
  const core = config.makeApiClient(CoreV1Api)
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  await objects.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } })
  const metadata = { name: 'slow-api', namespace, labels: { app: 'slow-api' } }
  await objects.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'slow-api.mjs': API } } as never)
  await objects.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { selector: metadata.labels, ports: [{ port: 3001 }] },
  } as never)
  await objects.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec: apiPod() } as never)
  await waitUntil(
    'the API to run',
    async () => (await core.readNamespacedPod({ name: 'slow-api', namespace })).status?.phase === 'Running',
    { timeoutMs: 60_000, everyMs: 500 },
  )
  return {
    namespace,
    objects,
    cluster: connect(namespace),
    apiUrl: `http://slow-api.${namespace}:3001`,
    remove: async () => {
      await core.deleteNamespace({ name: namespace })
    },
  }
}

const apiPod = () => ({
  automountServiceAccountToken: false,
  terminationGracePeriodSeconds: 1,
  securityContext: restrictedPod(1000),
  containers: [
    {
      name: 'api',
      image: 'node:24-slim',
      command: ['node', '/app/slow-api.mjs'],
      resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
      securityContext: restrictedContainer(),
      volumeMounts: [{ name: 'app', mountPath: '/app' }],
    },
  ],
  volumes: [{ name: 'app', configMap: { name: 'slow-api' } }],
})
