/** The stored results: raw numbers of the last runs, and the figures that are committed. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { renderJson, writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { type Place, readPlace } from '@hopwhistle/platform/machine/place.ts'
import type { PartName, PartResult } from './parts.ts'

export const RECORD_FORMAT = 'hopwhistle-peers/1'

/** A part's figures, and where and when they were measured. */
export type PartRecord = {
  readonly measuredAt: string
  readonly durationSeconds: number
  readonly source: Place['source']
} & Omit<PartResult, 'raw'>

/** k6's CPU for a live frame, with this checkout's subscribers and with those of the base, measured in turns. */
export type K6FrameCost = {
  readonly nsPerFrame: number
  readonly baseNsPerFrame: number
  /** Median of the rounds, and their range. */
  readonly ratio: number
  readonly min: number
  readonly max: number
  readonly rounds: number
}

export type PeersRecord = {
  readonly format: typeof RECORD_FORMAT
  readonly name: string
  readonly machine: Place['machine']
  readonly parts: { readonly [K in PartName]?: PartRecord }
  /** Measured by a separate benchmark, which needs k6. */
  readonly k6Frame?: K6FrameCost
}

const RESULTS_DIR = join(CHECKOUT, 'comparisons', 'results')

/** One for each environment. */
export const RECORDS = join(CHECKOUT, 'comparisons', 'baselines')

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

type Kept = { readonly record: PeersRecord; readonly path: string }

/** Replaces the earlier result of a part; other parts stay. @returns the record and its path */
export const keepPart = (part: PartName, kept: PartRecord, folder = RECORDS): Promise<Kept> =>
  updateRecord(folder, ({ parts }) => ({ parts: { ...parts, [part]: kept } }))

/** The same for k6's CPU for a frame. */
export const keepK6Frame = (k6Frame: K6FrameCost, folder = RECORDS): Promise<Kept> =>
  updateRecord(folder, () => ({ k6Frame }))

async function updateRecord(
  folder: string,
  change: (before: Pick<PeersRecord, 'parts'>) => Partial<PeersRecord>,
): Promise<Kept> {
  const { name, machine } = await readPlace()
  const path = recordPath(name, folder)
  const before = readRecord(path) ?? { parts: {} }
  const record: PeersRecord = { ...before, format: RECORD_FORMAT, name, machine, ...change(before) }
  await writeWhole(path, `${renderJson(record)}\n`)
  return { record, path }
}

/**
 * Writes `comparisons/results/<part>.json`. If this measurement is incomplete, and that file is of a complete one, writes
 * `<part>.partial.json`.
 *
 * @returns the path
 */
export async function writeRaw(part: PartName, content: Raw, dir = RESULTS_DIR): Promise<string> {
  const usual = join(dir, `${part}.json`)
  const path = !content.complete && isComplete(usual) ? usual.replace(/\.json$/, '.partial.json') : usual
  await writeWhole(path, `${JSON.stringify(content)}\n`)
  return path
}

/** `complete`: with the default number of rounds and the default length. */
export type Raw = { readonly complete: boolean; readonly [name: string]: unknown }

/** A file that does not say so counts as complete. */
function isComplete(path: string): boolean {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as Partial<Raw>).complete !== false
  } catch {
    return false
  }
}
