/** The runs of a calibration, one compressed file each: `live-p50-003.json.gz`. All of a folder are of one version. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import type { ComparisonRecord } from '../measured.ts'
import { parseComparison } from '../read-comparison.ts'
import { bySeries, type SeriesName } from './series.ts'

/** Where they are kept for good: a calibration takes a day, in as many parts as one likes. */
export const KEPT_RUNS = join(CHECKOUT, 'comparisons', 'baselines', 'calibration')

export type KeptRuns = Readonly<Record<SeriesName, readonly ComparisonRecord[]>>

const ENDING = '.json.gz'

/** In the order in which they were made; none where there is no such folder. @throws {Failure} */
export function readKeptRuns(dir: string): KeptRuns {
  const names = namesIn(dir)
  return bySeries((series) =>
    names
      .filter((name) => new RegExp(`^${series}-\\d+\\${ENDING}$`).test(name))
      .map((name) => readRun(join(dir, name))),
  )
}

export const keepRun = (dir: string, series: SeriesName, run: number, record: ComparisonRecord): Promise<void> =>
  writeWhole(
    join(dir, `${series}-${String(run).padStart(3, '0')}${ENDING}`),
    gzipSync(`${JSON.stringify(record)}\n`, { level: 9 }),
  )

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir).toSorted()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new Failure(`${dir} cannot be read: ${(error as Error).message}`)
  }
}

function readRun(path: string): ComparisonRecord {
  let text: string
  try {
    text = gunzipSync(readFileSync(path)).toString()
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}`)
  }
  return parseComparison(text, path)
}
