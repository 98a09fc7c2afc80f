import { request } from 'node:https'
import { PassThrough } from 'node:stream'
import { connect } from '@hopwhistle/platform/kubernetes/connect.ts'
import {
  AppsV1Api,
  AutoscalingV2Api,
  type CoreV1Api,
  Exec,
  NetworkingV1Api,
  RbacAuthorizationV1Api,
  type V1Pod,
} from '@kubernetes/client-node'

export type Cluster = {
  readonly core: CoreV1Api
  readonly apps: AppsV1Api
  readonly autoscaling: AutoscalingV2Api
  readonly networking: NetworkingV1Api
  readonly rbac: RbacAuthorizationV1Api
  /** Asks the API server by path, such as a pod's or a Service's proxy. Answers of any status are returned. */
  ask(method: 'GET' | 'POST', path: string, options?: AskOptions): Promise<Answer>
  /** Runs a command in a pod's first container. @returns what it printed @throws when it fails, with what it said */
  execute(pod: V1Pod, command: readonly string[]): Promise<string>
}

export type AskOptions = { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
export type Answer = {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

/** The cluster that KUBECONFIG points to. */
export function connectToCluster(): Cluster {
  const { config, core, server } = connect()
  return {
    core,
    apps: config.makeApiClient(AppsV1Api),
    autoscaling: config.makeApiClient(AutoscalingV2Api),
    networking: config.makeApiClient(NetworkingV1Api),
    rbac: config.makeApiClient(RbacAuthorizationV1Api),
    ask: async (method, path, { body, headers = {} } = {}) => {
      const options = {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      }
      await config.applyToHTTPSOptions(options)
      return new Promise((resolve, reject) => {
        const asking = request(server + path, options, async (response) => {
          const parts: Buffer[] = []
          for await (const part of response) parts.push(part as Buffer)
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts).toString(),
          })
        })
        asking.on('error', reject)
        asking.end(body === undefined ? undefined : JSON.stringify(body))
      })
    },
    execute: (pod, command) => execute(new Exec(config), pod, command),
  }
}

async function execute(exec: Exec, { metadata, spec }: V1Pod, command: readonly string[]): Promise<string> {
  const [output, said] = [collect(), collect()]
  const container = spec!.containers[0]!.name
  const ended = Promise.withResolvers<string | undefined>()
  const socket = await exec.exec(
    metadata!.namespace!,
    metadata!.name!,
    container,
    [...command],
    output.stream,
    said.stream,
    null,
    false,
    ({ status, message }) => ended.resolve(status === 'Success' ? undefined : (message ?? 'failed')),
  )
  socket.onerror = ({ message }) => ended.reject(new Error(message))
  const problem = await ended.promise
  if (problem !== undefined) throw new Error(`${command[0]} in ${metadata!.name}: ${problem}\n${said.text()}`)
  return output.text()
}

function collect() {
  const stream = new PassThrough()
  const parts: Buffer[] = []
  stream.on('data', (part: Buffer) => parts.push(part))
  return { stream, text: () => Buffer.concat(parts).toString() }
}
