import { readFileSync } from 'node:fs'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { COMPARISON_FORMAT, type ComparisonRecord } from './measured.ts'

/** @throws {Failure} when it cannot be read, or is something else */
export function readComparison(path: string): ComparisonRecord {
  let record: ComparisonRecord
  try {
    record = JSON.parse(readFileSync(path, 'utf8')) as ComparisonRecord
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}`)
  }
  if (record.format === COMPARISON_FORMAT) return record
  throw new Failure(`${path} has the format "${record.format}"; expected "${COMPARISON_FORMAT}"`)
}
