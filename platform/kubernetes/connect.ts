/** The cluster of the user's kubeconfig, and requests to it. */

import http from 'node:http'
import https from 'node:https'
import {
  ApiException,
  AuthorizationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type V1ResourceAttributes,
} from '@kubernetes/client-node'
import { Failure } from '../command-line/failure.ts'

export type Cluster = {
  readonly config: KubeConfig
  /** Address of its API server. */
  readonly server: string
  readonly core: CoreV1Api
  readonly custom: CustomObjectsApi
  readonly namespace: string
  /** GET of a path of the API server, as text; also of pods and kubelets through its proxy. */
  get(path: string, options?: { readonly timeoutMs?: number }): Promise<string>
}

/** With requests to 100 runners at once, most wait for one of these connections. */
const CONNECTIONS = 32
const ANSWER_WITHIN_MS = 10_000

/**
 * @param namespace if absent, that of the context, else `default`
 * @throws {Failure} when no kubeconfig is found or it cannot be read
 */
export function connect(namespace?: string): Cluster {
  const config = new KubeConfig()
  try {
    config.loadFromDefault()
  } catch (error) {
    throw new Failure(`the kubeconfig cannot be read: ${(error as Error).message}`)
  }
  const cluster = config.getCurrentCluster()
  if (cluster === null || config.getCurrentContext() === 'loaded-context') {
    throw new Failure('no cluster: set KUBECONFIG, or choose a context with `kubectl config use-context`')
  }
  const context = config.getContextObject(config.getCurrentContext())
  return {
    config,
    server: cluster.server,
    core: config.makeApiClient(CoreV1Api),
    custom: config.makeApiClient(CustomObjectsApi),
    namespace: namespace ?? context?.namespace ?? 'default',
    get: getter(config, cluster.server),
  }
}

function getter(config: KubeConfig, server: string): Cluster['get'] {
  const base = new URL(server)
  const { request, Agent } = base.protocol === 'http:' ? http : https
  let options: Promise<https.RequestOptions> | undefined
  const prepare = async (): Promise<https.RequestOptions> => {
    const made: https.RequestOptions = {}
    await config.applyToHTTPSOptions(made)
    const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = made
    const credentials = { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }
    const given = Object.fromEntries(Object.entries(credentials).filter(([, value]) => value !== undefined))
    // The client's own agent keeps no connections: each request would need a handshake.
    return { ...made, agent: new Agent({ keepAlive: true, maxSockets: CONNECTIONS, ...given }) }
  }
  return async (path, { timeoutMs = ANSWER_WITHIN_MS } = {}) => {
    options ??= prepare()
    const given = await options
    const url = new URL(base.pathname.replace(/\/$/, '') + path, base)
    return new Promise((resolve, reject) => {
      const asked = request(url, { ...given, method: 'GET', signal: AbortSignal.timeout(timeoutMs) }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.once('error', reject)
        response.once('end', () => {
          const text = Buffer.concat(parts).toString()
          if ((response.statusCode ?? 500) < 300) resolve(text)
          else reject(new Error(`${url.pathname} answered ${response.statusCode}: ${text.slice(0, 200).trim()}`))
        })
      })
      asked.once('error', reject)
      asked.end()
    })
  }
}

/**
 * Whether this user may do something in the namespace, or in all of them.
 *
 * @throws never: an API server that does not tell is taken to allow it, and refuses it then
 */
export async function may(
  { config, namespace }: Pick<Cluster, 'config' | 'namespace'>,
  what: Pick<V1ResourceAttributes, 'group' | 'resource' | 'subresource' | 'verb'>,
  where: 'here' | 'in all namespaces' = 'here',
): Promise<boolean> {
  const resourceAttributes = { ...what, ...(where === 'here' ? { namespace } : {}) }
  const body = { spec: { resourceAttributes } }
  return config
    .makeApiClient(AuthorizationV1Api)
    .createSelfSubjectAccessReview({ body })
    .then(
      ({ status }) => status?.allowed === true,
      () => true,
    )
}

/** Whether Kubernetes answered that the object does not exist. */
export const isNotFound = (error: unknown): boolean => error instanceof ApiException && error.code === 404

/** The API server's message about a failed request. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof ApiException)) return (error as Error).message ?? String(error)
  const body: unknown = error.body
  const message = typeof body === 'string' ? messageOf(body) : (body as { message?: string } | undefined)?.message
  return `${message ?? 'no reason given'} (${error.code})`
}

function messageOf(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { message?: string }).message
  } catch {
    return body.slice(0, 200)
  }
}
