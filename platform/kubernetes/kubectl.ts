import { Failure } from '../command-line/failure.ts'
import { ask, tryTo } from './programs.ts'

/** @throws {Failure} with what kubectl said */
export const kubectl = (...args: readonly string[]) => ask('kubectl', args)

/** Creates or updates objects. */
export const apply = (...manifests: readonly object[]) =>
  ask('kubectl', ['apply', '--server-side', '--force-conflicts', '--filename', '-'], {
    input: manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n'),
  })

/** Whether there is such an object. */
export const exists = async (...args: readonly string[]) =>
  (await tryTo('kubectl', ['get', ...args, '--output', 'name'])) !== undefined

/** Whether the API server has an API, such as `metrics.k8s.io/v1beta1`. Everybody may ask that. */
export const serves = async (api: string) =>
  (await tryTo('kubectl', ['get', '--raw', '/apis']))?.includes(`"${api}"`) === true

/** Whether the current user may do so anywhere in the cluster. */
export const may = async (verb: string, resource: string) =>
  (await tryTo('kubectl', ['auth', 'can-i', verb, resource, '--all-namespaces', '--quiet'])) !== undefined

/** The name of the kind cluster of the current context; empty for another cluster. */
export async function clusterName(): Promise<string> {
  const context = (await kubectl('config', 'current-context')).trim()
  return context.startsWith('kind-') ? context.slice('kind-'.length) : ''
}

/** @throws {Failure} when no cluster answers */
export async function requireCluster(): Promise<void> {
  if ((await tryTo('kubectl', ['get', '--raw', '/readyz', '--request-timeout', '10s'])) !== undefined) return
  throw new Failure('no cluster answers: set KUBECONFIG, or make one on this machine with make kind-up')
}
