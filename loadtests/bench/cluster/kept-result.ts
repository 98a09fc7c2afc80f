/**
 * The result of a TestRun, kept beside it in the cluster: what was sampled while it ran cannot be had again.
 *
 * A result takes as many ConfigMaps as it needs. They belong to the TestRun and are deleted with it; those of an earlier
 * TestRun of the same name are not its own.
 */
import { randomBytes } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { type Cluster, reasonOf } from '@hopwhistle/platform/kubernetes/connect.ts'
import type { V1ConfigMap } from '@kubernetes/client-node'
import { LOADTEST_LABELS, TEST_RUN_GROUP, TEST_RUN_VERSION } from '../../kubernetes/test-run.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { lacksEvidence } from '../evidence/more-evidence.ts'
import { parseResult } from '../evidence/parse-result.ts'
import { readTestRun, type TestRunObject } from './test-runs.ts'

const RESULT_LABEL = 'hopwhistle.io/result-of'
/** Which ConfigMaps hold one result, and how many there are of them. */
const RESULT_ID = 'hopwhistle.io/result'
const PARTS = 'hopwhistle.io/parts'
const PART = 'result.json.gz'
/** A ConfigMap holds 1 MiB. */
const MOST_BYTES = 900_000

export type Kept = {
  /** The one that knows more: what was kept before, unless the new one knows all of that as well. */
  readonly result: LoadtestResult
  /** For the user, where it is not simply the new one, kept. */
  readonly note?: string
}

/**
 * Keeps what was measured with its TestRun, or gives what is kept there and knows more.
 *
 * @throws never: who may write no ConfigMap is told so
 */
export async function keepWithTestRun(cluster: Cluster, name: string, measured: LoadtestResult): Promise<Kept> {
  try {
    const testRun = await readTestRun(cluster, name)
    if (testRun === undefined) return { result: measured }
    const before = await keptSets(cluster, testRun)
    const better = before.map(({ result }) => result).find((kept) => lacksEvidence(measured, kept))
    if (better !== undefined) {
      const changed = measured.distributed?.changed
      const result =
        changed === undefined || better.distributed === undefined
          ? better
          : { ...better, distributed: { ...better.distributed, changed } }
      return { result, note: `collected before: judged by what was seen of TestRun ${name} while it ran` }
    }
    await write(cluster, testRun, measured)
    for (const { maps } of before) for (const map of maps) await remove(cluster, map)
    return { result: measured }
  } catch (error) {
    return {
      result: measured,
      note: `the result cannot be kept with TestRun ${name}: collected again, it will be invalid (${reasonOf(error)})`,
    }
  }
}

type KeptSet = { readonly maps: readonly V1ConfigMap[]; readonly result: LoadtestResult }

async function keptSets({ core, namespace }: Cluster, { metadata }: TestRunObject): Promise<readonly KeptSet[]> {
  const labelSelector = `${RESULT_LABEL}=${metadata.name}`
  const { items } = await core.listNamespacedConfigMap({ namespace, labelSelector })
  const own = items.filter((map) => map.metadata?.ownerReferences?.some(({ uid }) => uid === metadata.uid))
  const sets = Map.groupBy(own, (map) => map.metadata?.annotations?.[RESULT_ID])
  return [...sets.values()].flatMap((maps) => {
    const parts = maps.toSorted((a, b) => partOf(a) - partOf(b))
    const result = read(parts)
    return result === undefined ? [] : [{ maps, result }]
  })
}

/** @returns undefined when a part of it is missing, or it is of a version that this one cannot read */
function read(maps: readonly V1ConfigMap[]): LoadtestResult | undefined {
  if (maps.length !== Number(maps[0]?.metadata?.annotations?.[PARTS])) return undefined
  try {
    const parts = maps.map(({ binaryData }) => Buffer.from(binaryData?.[PART] ?? '', 'base64'))
    return parseResult(gunzipSync(Buffer.concat(parts)).toString())
  } catch {
    return undefined
  }
}

const partOf = ({ metadata }: V1ConfigMap): number => Number(/-(\d+)$/.exec(metadata?.name ?? '')?.[1])

async function write({ core, namespace }: Cluster, { metadata }: TestRunObject, result: LoadtestResult): Promise<void> {
  const { name, uid } = metadata
  const packed = gzipSync(JSON.stringify(result))
  const parts = Math.ceil(packed.length / MOST_BYTES)
  const id = randomBytes(4).toString('hex')
  for (let i = 0; i < parts; i += 1) {
    const body: V1ConfigMap = {
      metadata: {
        name: `${name}-result-${id}-${i + 1}`,
        namespace,
        labels: { ...LOADTEST_LABELS, [RESULT_LABEL]: name },
        annotations: { [RESULT_ID]: id, [PARTS]: String(parts) },
        ownerReferences: [{ apiVersion: `${TEST_RUN_GROUP}/${TEST_RUN_VERSION}`, kind: 'TestRun', name, uid }],
      },
      binaryData: { [PART]: packed.subarray(i * MOST_BYTES, (i + 1) * MOST_BYTES).toString('base64') },
    }
    await core.createNamespacedConfigMap({ namespace, body })
  }
}

const remove = ({ core, namespace }: Cluster, { metadata }: V1ConfigMap) =>
  core.deleteNamespacedConfigMap({ namespace, name: metadata?.name ?? '' })
