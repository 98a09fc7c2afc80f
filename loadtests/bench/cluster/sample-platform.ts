/** Everything of the platform in the cluster that can be sampled while a run is on. */

import { type Cluster, reasonOf } from '@hopwhistle/platform/kubernetes/connect.ts'
import { openTunnel, type Tunnel } from '@hopwhistle/platform/kubernetes/tunnel.ts'
import type { V1Pod } from '@kubernetes/client-node'
import type { SamplerTargets } from '../sample/sampler.ts'
import { kubeletSource, type WatchedPod } from './kubelet-source.ts'
import { componentOf, type Platform, platformPods } from './platform.ts'
import { type Credentials, platformCredentials } from './platform-credentials.ts'
import { podsOf } from './runner-pods.ts'

export type PlatformTargets = {
  readonly targets: SamplerTargets
  readonly pods: readonly WatchedPod[]
  /** What cannot be sampled, a sentence each. */
  readonly omitted: readonly string[]
  close(): void
}

const API_PORTS = ['admin', 'metrics', 'http']
const OWNER = 'postgres'
const DATABASE = 'hopwhistle'
const POSTGRES_PORT = 5432
const REDIS_PORT = 6379

/** @param testRun whose runners are sampled together with the platform */
export async function samplePlatform(
  cluster: Cluster,
  platform: Platform | undefined,
  testRun: string,
  runId: string | undefined,
): Promise<PlatformTargets> {
  const tunnels: Tunnel[] = []
  const omitted: string[] = []
  const runners = async (): Promise<readonly WatchedPod[]> =>
    (await podsOf(cluster, testRun, 'runner=true')).map((pod) => ({ pod, kind: 'k6' as const }))
  const list = async () => [
    ...(platform === undefined ? [] : await platformPods(cluster, platform)),
    ...(await runners()),
  ]
  const pods = await list().catch((error) => {
    omitted.push(`the platform's pods were not found: ${reasonOf(error)}`)
    return []
  })
  if (platform === undefined) omitted.push('the platform was not sampled: its URL leads to none in this cluster')
  const inPlatform = { ...cluster, namespace: platform?.namespace ?? cluster.namespace }
  const to = async (pod: V1Pod, port: number): Promise<number> => {
    const tunnel = await openTunnel(inPlatform, pod.metadata?.name ?? '', port)
    tunnels.push(tunnel)
    return tunnel.port
  }
  const ofComponent = (name: string) => pods.filter(({ pod }) => componentOf(pod) === name).map(({ pod }) => pod)

  const api = await Promise.all(
    ofComponent('api').map(async (pod) => ({
      id: pod.metadata?.name ?? '',
      adminUrl: `http://127.0.0.1:${await to(pod, portOf(pod, API_PORTS) ?? 3001)}`,
    })),
  )
  const credentials = platform && (await platformCredentials(cluster, platform))
  const [primary] = ofComponent('postgres')
  const [replica] = ofComponent('postgres-replica')
  const [redis] = ofComponent('redis')
  const password = credentials?.postgresPassword
  const postgresUrl = async (pod: V1Pod) =>
    `postgresql://${OWNER}:${encodeURIComponent(password ?? '')}@127.0.0.1:${await to(pod, POSTGRES_PORT)}/${DATABASE}`
  const noPod = 'it has no pod of the chart here'
  const noSecret = "the chart's Secret cannot be read"
  if (platform !== undefined && (primary === undefined || password === undefined)) {
    omitted.push(`Postgres was not sampled: ${primary === undefined ? noPod : noSecret}`)
  }
  if (platform !== undefined && redis === undefined) omitted.push(`Redis was not sampled: ${noPod}`)
  return {
    targets: {
      api,
      ...(primary === undefined || password === undefined
        ? {}
        : {
            postgres: {
              primaryUrl: await postgresUrl(primary),
              ...(replica === undefined ? {} : { replicaUrl: await postgresUrl(replica) }),
            },
          }),
      ...(redis === undefined
        ? {}
        : { redisUrl: `redis://${redisUser(credentials)}127.0.0.1:${await to(redis, REDIS_PORT)}` }),
      ...(runId === undefined ? {} : { runId }),
      kubernetes: kubeletSource(cluster, list),
    },
    pods,
    omitted,
    close: () => {
      for (const tunnel of tunnels) tunnel.close()
    },
  }
}

const redisUser = (credentials: Credentials | undefined): string =>
  credentials?.redisPassword === undefined ? '' : `:${encodeURIComponent(credentials.redisPassword)}@`

function portOf({ spec }: V1Pod, names: readonly string[]): number | undefined {
  const ports = spec?.containers.flatMap(({ ports = [] }) => ports) ?? []
  return names
    .map((wanted) => ports.find(({ name }) => name === wanted)?.containerPort)
    .find((port) => port !== undefined)
}
