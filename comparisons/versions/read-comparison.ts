import { readFileSync } from 'node:fs'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { COMPARISON_FORMAT, type ComparisonRecord } from './measured.ts'

/** @throws {Failure} when it cannot be read, or is something else */
export function readComparison(path: string): ComparisonRecord {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}`)
  }
  return parseComparison(text, path)
}

/** @param path names the text in messages. @throws {Failure} when it is something else */
export function parseComparison(text: string, path: string): ComparisonRecord {
  let record: ComparisonRecord
  try {
    record = JSON.parse(text) as ComparisonRecord
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}`)
  }
  if (record.format === COMPARISON_FORMAT) return record
  throw new Failure(`${path} has the format "${record.format}"; expected "${COMPARISON_FORMAT}"`)
}
