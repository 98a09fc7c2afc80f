import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LoadtestResult, RESULTS_FORMAT } from '../../results-format.ts'
import { Failure } from '../lib/failure.ts'
import { CHECKOUT } from '../stack/stack-record.ts'

export const RESULTS_DIR = join(CHECKOUT, 'loadtests', 'results')

/** @returns the path, `loadtests/results/<scenario>.json` */
export function writeResult(result: LoadtestResult, dir = RESULTS_DIR): string {
  mkdirSync(dir, { recursive: true })
  const path = join(dir, `${result.scenario}.json`)
  writeFileSync(`${path}.new`, `${JSON.stringify(result)}\n`)
  renameSync(`${path}.new`, path)
  return path
}

/** @throws {Failure} when it is no result, or one of a format that this version does not know */
export function readResultFile(path: string): LoadtestResult {
  let read: Partial<LoadtestResult>
  try {
    read = JSON.parse(readFileSync(path, 'utf8')) as Partial<LoadtestResult>
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}`)
  }
  if (read.format !== RESULTS_FORMAT || !Array.isArray(read.runners)) {
    throw new Failure(
      `${path} is not a load test's result: its format is "${read.format}"; expected "${RESULTS_FORMAT}"`,
    )
  }
  return read as LoadtestResult
}
