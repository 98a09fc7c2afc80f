/**
 * Results that are kept in the cluster, in as many ConfigMaps as each needs.
 *
 * That of a TestRun, for what was sampled while it ran cannot be had again: its ConfigMaps belong to the TestRun and are
 * deleted with it; those of an earlier TestRun of the same name are not its own. And those of a namespace, for its team:
 * the newest of each scenario, without their TestRuns.
 */
import { randomBytes } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { type Cluster, reasonOf } from '@hopwhistle/platform/kubernetes/connect.ts'
import type { V1ConfigMap, V1OwnerReference } from '@kubernetes/client-node'
import { LOADTEST_LABELS, SCENARIO_LABEL, TEST_RUN_GROUP, TEST_RUN_VERSION } from '../../kubernetes/test-run.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { lacksEvidence } from '../evidence/more-evidence.ts'
import { parseResult } from '../evidence/parse-result.ts'
import { renderTable } from '../judge/render-table.ts'
import { readTestRun, type TestRunObject } from './test-runs.ts'

const RESULT_LABEL = 'hopwhistle.io/result-of'
/** The name of a result of the namespace. */
const KEPT_LABEL = 'hopwhistle.io/kept-result'
const OUTCOME_LABEL = 'hopwhistle.io/outcome'
/** Which ConfigMaps hold one result, and how many there are of them. */
const RESULT_ID = 'hopwhistle.io/result'
const PARTS = 'hopwhistle.io/parts'
const PART = 'result.json.gz'
/** A ConfigMap holds 1 MiB. */
const MOST_BYTES = 900_000

export type Kept<R = LoadtestResult> = {
  /** The one that knows more: what was kept before, unless the new one knows all of that as well. */
  readonly result: R
  /** For the user, where it is not simply the new one, kept. */
  readonly note?: string
}

/** A kind of results: of our scenarios, or of scripts of others. */
export type KeptKind<R> = {
  /** @throws when it is of a version that this one cannot read */
  parse(text: string): R
  /** Whether the other one knows something of the run that this one does not. */
  lacksEvidence(result: R, other: R): boolean
  /** What was set before the run, and is another now: a clause each. */
  differences?(now: R, kept: R): readonly string[]
}

const OF_SCENARIOS: KeptKind<LoadtestResult> = { parse: parseResult, lacksEvidence }

/** The same for a result of our scenarios as `keepAsKind`. */
export const keepWithTestRun = (cluster: Cluster, name: string, measured: LoadtestResult): Promise<Kept> =>
  keepAsKind(cluster, name, measured, OF_SCENARIOS)

/**
 * Keeps what was measured with its TestRun, or gives what is kept there and knows more.
 *
 * @throws never: who may write no ConfigMap is told so
 */
export async function keepAsKind<R extends Pick<LoadtestResult, 'distributed'>>(
  cluster: Cluster,
  name: string,
  measured: R,
  kind: KeptKind<R>,
): Promise<Kept<R>> {
  try {
    const testRun = await readTestRun(cluster, name)
    if (testRun === undefined) return { result: measured }
    const before = await keptSets(cluster, testRun, kind)
    const better = before.map(({ result }) => result).find((kept) => kind.lacksEvidence(measured, kept))
    if (better !== undefined) {
      const changed = [...(measured.distributed?.changed ?? []), ...(kind.differences?.(measured, better) ?? [])]
      const result =
        changed.length === 0 || better.distributed === undefined
          ? better
          : { ...better, distributed: { ...better.distributed, changed } }
      return { result, note: `collected before: judged by what was seen of TestRun ${name} while it ran` }
    }
    const { uid } = testRun.metadata
    const ownerReferences = [{ apiVersion: `${TEST_RUN_GROUP}/${TEST_RUN_VERSION}`, kind: 'TestRun', name, uid }]
    await write(cluster, name, measured, { labels: { [RESULT_LABEL]: name }, ownerReferences })
    for (const { maps } of before) for (const map of maps) await remove(cluster, map)
    return { result: measured }
  } catch (error) {
    return {
      result: measured,
      note: `the result cannot be kept with TestRun ${name}: collected again, it will be invalid (${reasonOf(error)})`,
    }
  }
}

type KeptSet<R> = { readonly maps: readonly V1ConfigMap[]; readonly result: R }

async function keptSets<R>(
  cluster: Cluster,
  { metadata }: TestRunObject,
  kind: KeptKind<R>,
): Promise<readonly KeptSet<R>[]> {
  const maps = await listMaps(cluster, `${RESULT_LABEL}=${metadata.name}`)
  const own = maps.filter((map) => map.metadata?.ownerReferences?.some(({ uid }) => uid === metadata.uid))
  return setsOf(own, kind)
}

const listMaps = async ({ core, namespace }: Cluster, labelSelector: string): Promise<readonly V1ConfigMap[]> =>
  (await core.listNamespacedConfigMap({ namespace, labelSelector })).items

/** Those that are complete and that this version can read. */
function setsOf<R>(maps: readonly V1ConfigMap[], { parse }: KeptKind<R>): readonly KeptSet<R>[] {
  const sets = Map.groupBy(maps, (map) => map.metadata?.annotations?.[RESULT_ID])
  return [...sets.values()].flatMap((parts) => {
    const ordered = parts.toSorted((a, b) => partOf(a) - partOf(b))
    const result = read(ordered, parse)
    return result === undefined ? [] : [{ maps: ordered, result }]
  })
}

export type InNamespace = { readonly name: string; readonly madeAt: Date; readonly result: LoadtestResult }

/** The results that are kept in the namespace, the newest first. @throws {Failure} when they may not be listed */
export async function resultsInNamespace(cluster: Cluster): Promise<readonly InNamespace[]> {
  const maps = await listMaps(cluster, KEPT_LABEL).catch((error) => {
    throw new Failure(`ConfigMaps of namespace "${cluster.namespace}" cannot be listed: ${reasonOf(error)}`)
  })
  return setsOf(maps, OF_SCENARIOS)
    .map(({ maps: [first], result }) => ({
      name: first?.metadata?.labels?.[KEPT_LABEL] ?? '',
      madeAt: first?.metadata?.creationTimestamp ?? new Date(0),
      result,
    }))
    .toSorted((a, b) => b.madeAt.getTime() - a.madeAt.getTime())
}

/**
 * Keeps a judged result in the namespace, with the verdict as text, for people who have only kubectl.
 *
 * @param most results of this scenario are kept; older ones are deleted
 * @returns its name
 */
export async function keepInNamespace(cluster: Cluster, result: LoadtestResult, most: number): Promise<string> {
  const { scenario, runId, verdict } = result
  const name = `${scenario}-${runId}`
  const labels = { [KEPT_LABEL]: name, [SCENARIO_LABEL]: scenario, [OUTCOME_LABEL]: verdict?.outcome ?? 'unknown' }
  await write(cluster, name, result, { labels, data: { verdict: renderTable([result], { colour: false }) } })
  const older = await listMaps(cluster, `${KEPT_LABEL},${SCENARIO_LABEL}=${scenario}`)
  const byName = Map.groupBy(older, ({ metadata }) => metadata?.labels?.[KEPT_LABEL] ?? '')
  const sets = [...byName.values()].toSorted((a, b) => madeAt(b) - madeAt(a))
  for (const map of sets.slice(most).flat()) await remove(cluster, map)
  return name
}

const madeAt = ([first]: readonly V1ConfigMap[]): number => first?.metadata?.creationTimestamp?.getTime() ?? 0

/** @returns undefined when a part of it is missing, or it is of a version that this one cannot read */
function read<R>(maps: readonly V1ConfigMap[], parse: (text: string) => R): R | undefined {
  if (maps.length !== Number(maps[0]?.metadata?.annotations?.[PARTS])) return undefined
  try {
    const parts = maps.map(({ binaryData }) => Buffer.from(binaryData?.[PART] ?? '', 'base64'))
    return parse(gunzipSync(Buffer.concat(parts)).toString())
  } catch {
    return undefined
  }
}

const partOf = ({ metadata }: V1ConfigMap): number => Number(/-(\d+)$/.exec(metadata?.name ?? '')?.[1])

type Besides = {
  readonly labels: Readonly<Record<string, string>>
  readonly ownerReferences?: V1OwnerReference[]
  /** Of the first of its ConfigMaps. */
  readonly data?: Record<string, string>
}

async function write(
  { core, namespace }: Cluster,
  name: string,
  result: object,
  { labels, ownerReferences, data }: Besides,
): Promise<void> {
  const packed = gzipSync(JSON.stringify(result))
  const parts = Math.ceil(packed.length / MOST_BYTES)
  const id = randomBytes(4).toString('hex')
  for (let i = 0; i < parts; i += 1) {
    const body: V1ConfigMap = {
      metadata: {
        name: `${name}-result-${id}-${i + 1}`,
        namespace,
        labels: { ...LOADTEST_LABELS, ...labels },
        annotations: { [RESULT_ID]: id, [PARTS]: String(parts) },
        ...(ownerReferences === undefined ? {} : { ownerReferences }),
      },
      ...(data === undefined || i > 0 ? {} : { data }),
      binaryData: { [PART]: packed.subarray(i * MOST_BYTES, (i + 1) * MOST_BYTES).toString('base64') },
    }
    await core.createNamespacedConfigMap({ namespace, body })
  }
}

const remove = ({ core, namespace }: Cluster, { metadata }: V1ConfigMap) =>
  core.deleteNamespacedConfigMap({ namespace, name: metadata?.name ?? '' })
