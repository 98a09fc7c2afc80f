/** TestRuns of k6-operator in one namespace: applied, read, listed, deleted. */

import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { type Cluster, isNotFound, reasonOf } from '@hopwhistle/platform/kubernetes/connect.ts'
import { type KubernetesObject, KubernetesObjectApi, PatchStrategy } from '@kubernetes/client-node'
import type { scriptConfigMap } from '../../kubernetes/script-config-map.ts'
import {
  SCENARIO_LABEL,
  TEST_RUN_GROUP,
  TEST_RUN_PLURAL,
  TEST_RUN_VERSION,
  type TestRun,
} from '../../kubernetes/test-run.ts'
import type { apiKeySecret } from './api-key-secret.ts'
import type { ownConfigMap, ownSecret } from './own-belongings.ts'

/** What the operator keeps, as far as it is read here. */
export type TestRunObject = {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly uid: string
    readonly creationTimestamp: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly spec: {
    readonly parallelism: number
    readonly script?: { readonly configMap?: { readonly name?: string; readonly file?: string } }
    readonly runner?: {
      readonly image?: string
      readonly env?: readonly { readonly name: string; readonly value?: string }[]
    }
  }
  readonly status?: { readonly stage?: string }
}

const ADDRESS = { group: TEST_RUN_GROUP, version: TEST_RUN_VERSION, plural: TEST_RUN_PLURAL }

/** @throws {Failure} saying how to install the operator when it is not there, or that the cluster does not answer */
export async function requireOperator({ get, config }: Cluster): Promise<void> {
  const groups = await get('/apis').catch((error: Error) => {
    throw new Failure(`the cluster of context "${config.getCurrentContext()}" does not answer: ${error.message}`)
  })
  if (groups.includes(`"${TEST_RUN_GROUP}/${TEST_RUN_VERSION}"`)) return
  throw new Failure(
    'k6-operator is not installed in this cluster: it knows no TestRun. `make kind-up` installs it; by hand: ' +
      'https://grafana.com/docs/k6/latest/set-up/set-up-distributed-k6/install-k6-operator/',
  )
}

/** What else a TestRun needs in its namespace: its scripts, and perhaps a key. */
export type Belonging =
  | ReturnType<typeof scriptConfigMap>
  | ReturnType<typeof apiKeySecret>
  | ReturnType<typeof ownConfigMap>
  | ReturnType<typeof ownSecret>

/**
 * Applies a TestRun with what belongs to it, and goes with it when it is deleted.
 *
 * @throws {Failure} when there is one of that name already, or the cluster refuses it; nothing is left then
 */
export async function applyTestRun(cluster: Cluster, run: TestRun, belongings: readonly Belonging[]): Promise<void> {
  const { config, custom } = cluster
  const { name, namespace = '' } = run.metadata
  const objects = KubernetesObjectApi.makeApiClient(config)
  const made: KubernetesObject[] = []
  let isCreated = false
  try {
    // First: the operator's initializer looks for the scripts at once.
    for (const belonging of belongings) made.push(await objects.create(belonging))
    const created = (await custom.createNamespacedCustomObject({ ...ADDRESS, namespace, body: run })) as TestRunObject
    isCreated = true
    const owner = { apiVersion: run.apiVersion, kind: run.kind, name, uid: created.metadata.uid }
    for (const { apiVersion = '', kind = '', metadata } of made) {
      const patch = { apiVersion, kind, metadata: { name: metadata?.name ?? '', namespace, ownerReferences: [owner] } }
      await objects.patch(patch, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch)
    }
  } catch (error) {
    for (const object of made) await objects.delete(object).catch(() => {})
    if (isCreated) await deleteTestRun({ custom, namespace }, name).catch(() => {})
    throw new Failure(`the TestRun "${name}" cannot be created in namespace "${namespace}": ${reasonOf(error)}`)
  }
}

/** @returns undefined when there is none of that name */
export async function readTestRun(
  { custom, namespace }: Pick<Cluster, 'custom' | 'namespace'>,
  name: string,
): Promise<TestRunObject | undefined> {
  try {
    return (await custom.getNamespacedCustomObject({ ...ADDRESS, namespace, name })) as TestRunObject
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

export async function listTestRuns({ custom, namespace }: Cluster): Promise<readonly TestRunObject[]> {
  const { items } = (await custom.listNamespacedCustomObject({ ...ADDRESS, namespace })) as { items: TestRunObject[] }
  return items
}

/** Deletes a TestRun with its pods, Services and scripts. @returns whether there was one */
export async function deleteTestRun(
  { custom, namespace }: Pick<Cluster, 'custom' | 'namespace'>,
  name: string,
): Promise<boolean> {
  try {
    await custom.deleteNamespacedCustomObject({ ...ADDRESS, namespace, name, propagationPolicy: 'Background' })
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

/** What a TestRun runs: by its label, else by the file that it names. */
export const scenarioNameOf = ({ metadata, spec }: TestRunObject): string =>
  metadata.labels?.[SCENARIO_LABEL] ?? spec.script?.configMap?.file?.replace(/\.[jt]s$/, '') ?? 'unknown'

/** A setting that a TestRun gives to its runners. */
export const settingOf = ({ spec }: TestRunObject, name: string): string | undefined =>
  spec.runner?.env?.find((one) => one.name === name)?.value
