/** Where in the cluster the platform is, found by the labels that its chart gives. */

import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { type Cluster, reasonOf } from '@hopwhistle/platform/kubernetes/connect.ts'
import type { V1Pod, V1Service } from '@kubernetes/client-node'
import type { WatchedPod } from './kubelet-source.ts'

export type Platform = {
  readonly namespace: string
  /** As pods of this cluster reach it. */
  readonly apiUrl: string
  /** The label that all objects of one installation share. */
  readonly instance: string | undefined
}

const PART_OF = 'app.kubernetes.io/part-of=hopwhistle'
export const COMPONENT = 'app.kubernetes.io/component'
export const INSTANCE = 'app.kubernetes.io/instance'

const KINDS: Readonly<Record<string, WatchedPod['kind']>> = {
  api: 'api',
  postgres: 'postgres',
  'postgres-replica': 'postgres',
  redis: 'redis',
}

/**
 * The API's Service: in the namespace of the run, else the only one in the cluster.
 *
 * @throws {Failure} when there is none, or there are several to choose from
 */
export async function findPlatform({ core, namespace }: Cluster): Promise<Platform> {
  const labelSelector = `${PART_OF},${COMPONENT}=api`
  const here = await core.listNamespacedService({ namespace, labelSelector }).catch((error) => {
    throw new Failure(`Services of namespace "${namespace}" cannot be listed: ${reasonOf(error)}`)
  })
  const everywhere = async () => (await core.listServiceForAllNamespaces({ labelSelector }).catch(() => here)).items
  const found = here.items.length > 0 ? here.items : await everywhere()
  const services = found.filter(({ spec }) => spec?.clusterIP !== 'None')
  const [service] = services
  if (service === undefined) {
    throw new Failure(
      'the platform is not in this cluster: no Service is labelled as its API. Install it with `make deploy`, or say where it is with --api-url',
    )
  }
  if (services.length > 1) {
    throw new Failure(
      `the platform is there ${services.length} times: choose one with --api-url ${services.map(urlOf).join(' or --api-url ')}`,
    )
  }
  return platformOf(service)
}

/** The platform that a URL of this cluster leads to; undefined when it leads elsewhere. */
export async function platformAt({ core }: Cluster, apiUrl: string): Promise<Platform | undefined> {
  const [name = '', namespace] = new URL(apiUrl).hostname.split('.')
  if (namespace === undefined) return undefined
  const service = await core.readNamespacedService({ name, namespace }).catch(() => undefined)
  return service === undefined ? undefined : { ...platformOf(service), apiUrl }
}

const platformOf = (service: V1Service): Platform => ({
  namespace: service.metadata?.namespace ?? 'default',
  apiUrl: urlOf(service),
  instance: service.metadata?.labels?.[INSTANCE],
})

function urlOf({ metadata, spec }: V1Service): string {
  const port = spec?.ports?.find(({ name }) => name === 'http') ?? spec?.ports?.[0]
  return `http://${metadata?.name}.${metadata?.namespace}:${port?.port ?? 80}`
}

/** The pods of the platform that are there now, with what each is. */
export async function platformPods(
  { core }: Cluster,
  { namespace, instance }: Platform,
): Promise<readonly WatchedPod[]> {
  const labelSelector = [PART_OF, ...(instance === undefined ? [] : [`${INSTANCE}=${instance}`])].join()
  const { items } = await core.listNamespacedPod({ namespace, labelSelector })
  return items.flatMap((pod) => {
    const kind = KINDS[componentOf(pod)]
    return kind === undefined || pod.status?.phase !== 'Running' ? [] : [{ pod, kind }]
  })
}

export const componentOf = ({ metadata }: V1Pod): string => metadata?.labels?.[COMPONENT] ?? ''
