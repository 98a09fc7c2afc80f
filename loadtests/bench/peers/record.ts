/** What the benchmark found, as it is kept: the raw numbers of the last runs, and the figures of record. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { partialName } from '../../scenarios/lib/complete-run.ts'
import { renderJson, writeWhole } from '../document/baseline-files.ts'
import { Failure } from '../lib/failure.ts'
import { readPlace } from '../run/read-environment.ts'
import { RESULTS_DIR } from '../run/result-files.ts'
import type { Environment } from '../sample/environment.ts'
import { CHECKOUT } from '../stack/stack-record.ts'
import type { PartName, PartResult } from './parts.ts'

export const RECORD_FORMAT = 'hopwhistle-peers/1'

/** A part's figures, and where and when they were measured. */
export type PartRecord = {
  readonly measuredAt: string
  readonly durationSeconds: number
  readonly source: Environment['source']
} & Omit<PartResult, 'raw'>

export type PeersRecord = {
  readonly format: typeof RECORD_FORMAT
  readonly name: string
  readonly machine: Environment['machine']
  readonly parts: { readonly [K in PartName]?: PartRecord }
}

/** One for each environment. */
export const RECORDS = join(CHECKOUT, 'loadtests', 'baselines', 'peers')

const recordPath = (name: string, folder: string): string => join(folder, `${name}.json`)

/** @returns undefined when there is none yet @throws {Failure} */
export function readRecord(path: string): PeersRecord | undefined {
  let record: PeersRecord
  try {
    record = JSON.parse(readFileSync(path, 'utf8')) as PeersRecord
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Failure(`${path} cannot be read: ${(error as Error).message}`)
  }
  if (record.format === RECORD_FORMAT) return record
  throw new Failure(`${path} has the format "${record.format}"; expected "${RECORD_FORMAT}"`)
}

/** Puts a part in the place of what was measured of it before; the others stay. @returns the record and its path */
export async function keepPart(
  part: PartName,
  kept: PartRecord,
  folder = RECORDS,
): Promise<{ readonly record: PeersRecord; readonly path: string }> {
  const { name, machine } = await readPlace()
  const path = recordPath(name, folder)
  const before = readRecord(path)?.parts ?? {}
  const record: PeersRecord = { format: RECORD_FORMAT, name, machine, parts: { ...before, [part]: kept } }
  await writeWhole(path, `${renderJson(record)}\n`)
  return { record, path }
}

/**
 * Writes `loadtests/results/peers-<part>.json`; or `peers-<part>.partial.json`, when this measurement is not complete and
 * the file is of one that is.
 *
 * @returns the path
 */
export async function writeRaw(part: PartName, content: Raw, dir = RESULTS_DIR): Promise<string> {
  const usual = join(dir, `peers-${part}.json`)
  const path = !content.complete && isComplete(usual) ? partialName(usual) : usual
  await writeWhole(path, `${JSON.stringify(content)}\n`)
  return path
}

/** @param complete of as many rounds, and as long, as when nothing else is asked for */
export type Raw = { readonly complete: boolean; readonly [name: string]: unknown }

/** One that does not say whether it is counts as complete. */
function isComplete(path: string): boolean {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as Partial<Raw>).complete !== false
  } catch {
    return false
  }
}
