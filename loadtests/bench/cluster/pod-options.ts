/** How the pods of a run have to be, where the chart of the load tests is installed: as its values say. */
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { type Cluster, reasonOf } from '@hopwhistle/platform/kubernetes/connect.ts'
import { byPart, parseStoredPod, STORED_PODS_LABEL, type StoredPods } from '../../kubernetes/stored-pods.ts'

export type PodOptions = { readonly release: string; readonly stored: StoredPods }

/**
 * @param wanted the release whose values hold; absent: the only one in the namespace
 * @returns undefined where the chart is not installed
 * @throws {Failure} when there is no such release, or several to choose from
 */
export async function readPodOptions(
  { core, namespace }: Cluster,
  wanted: string | undefined,
): Promise<PodOptions | undefined> {
  const { items } = await core
    .listNamespacedConfigMap({ namespace, labelSelector: STORED_PODS_LABEL })
    .catch((error) => {
      throw new Failure(`ConfigMaps of namespace "${namespace}" cannot be listed: ${reasonOf(error)}`)
    })
  const stored = new Map(items.map((map) => [map.metadata?.labels?.[STORED_PODS_LABEL] ?? '', map.data ?? {}]))
  const names = [...stored.keys()].sort()
  if (wanted === undefined && names.length > 1) {
    throw new Failure(`choose the release whose values hold for pods: --release ${names.join(' or --release ')}`)
  }
  const release = wanted ?? names[0]
  if (release === undefined) return undefined
  const data = stored.get(release)
  if (data === undefined) {
    const there = names.length === 0 ? 'none is there' : `there is ${names.join(', ')}`
    throw new Failure(`no release "${release}" of the load tests' chart is in namespace "${namespace}"; ${there}`)
  }
  return { release, stored: byPart((part) => parseStoredPod(data[part] ?? '')) }
}
