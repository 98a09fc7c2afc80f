/** Of a TestRun that runs an archive: what was written next to it. */
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { type Cluster, reasonOf } from '@hopwhistle/platform/kubernetes/connect.ts'
import { ARCHIVE_FILE } from '../../kubernetes/test-run.ts'
import { OWN_RUN_FILE } from '../cluster/own-belongings.ts'
import type { TestRunObject } from '../cluster/test-runs.ts'
import { type OwnRun, parseOwnRun } from './own-run.ts'

export const isArchive = ({ spec }: TestRunObject): boolean => spec.script?.configMap?.file === ARCHIVE_FILE

/** @throws {Failure} when its ConfigMap is not as `run SCRIPT --cluster` makes it */
export async function readOwnRun({ core, namespace }: Cluster, { spec }: TestRunObject): Promise<OwnRun> {
  const name = spec.script?.configMap?.name ?? ''
  const { data = {} } = await core.readNamespacedConfigMap({ namespace, name }).catch((error) => {
    throw new Failure(`ConfigMap "${name}" in namespace "${namespace}" cannot be read: ${reasonOf(error)}`)
  })
  const text = data[OWN_RUN_FILE]
  if (text === undefined)
    throw new Failure(`ConfigMap "${name}" has no ${OWN_RUN_FILE}: make it by run SCRIPT --cluster --manifest`)
  return parseOwnRun(text, `ConfigMap "${name}"`)
}
