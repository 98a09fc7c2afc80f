/** What the TestRun of a user's own script needs in addition: the script as an archive of k6, and perhaps secrets. */
import { metadataOf } from '../../kubernetes/script-config-map.ts'
import { ARCHIVE_FILE } from '../../kubernetes/test-run.ts'

/** In the ConfigMap of the archive: what `collect` has to know about the run. */
export const OWN_RUN_FILE = 'own-run.json'
/** A ConfigMap holds 1 MiB. */
export const MOST_ARCHIVE_BYTES = 1_000_000

type Belonging = { readonly name: string; readonly namespace?: string; readonly scenario: string }

export const ownConfigMap = (
  { name, namespace, scenario }: Belonging,
  { archive, run }: { readonly archive: Buffer; readonly run: string },
) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: metadataOf(scenario, name, namespace),
  data: { [OWN_RUN_FILE]: run },
  binaryData: { [ARCHIVE_FILE]: archive.toString('base64') },
})

/** Values stand neither in the TestRun nor in the archive, nor in a list of processes. */
export const ownSecret = (
  { name, namespace }: Pick<Belonging, 'name' | 'namespace'>,
  values: Readonly<Record<string, string>>,
) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  stringData: values,
})

export const secretVariables = ({ metadata, stringData }: ReturnType<typeof ownSecret>) =>
  Object.keys(stringData).map((key) => ({
    name: key,
    valueFrom: { secretKeyRef: { name: metadata.name, key } },
  }))
