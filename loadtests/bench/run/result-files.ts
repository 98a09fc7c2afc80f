import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { isCompleteResult, keptText, missingOf, partialName } from '../../scenarios/lib/complete-run.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { parseResult } from '../evidence/parse-result.ts'

export const RESULTS_DIR = join(CHECKOUT, 'loadtests', 'results')

/**
 * Writes `loadtests/results/<scenario>.json`; or `<scenario>.partial.json` when this run is not complete, and the file
 * is of one that is.
 *
 * @returns a sentence that says so; undefined when it is written to its usual place
 */
export function writeResult(result: LoadtestResult, dir = RESULTS_DIR): string | undefined {
  mkdirSync(dir, { recursive: true })
  const usual = join(dir, `${result.scenario}.json`)
  const missing = missingOf(result)
  const stays = missing !== undefined && isCompleteResult(textOf(usual))
  const path = stays ? partialName(usual) : usual
  writeFileSync(`${path}.new`, `${JSON.stringify(result)}\n`)
  renameSync(`${path}.new`, path)
  return stays ? keptText(relative(CHECKOUT, usual), relative(CHECKOUT, path), missing) : undefined
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** @throws {Failure} when it is no result, or one of a format that this version does not know */
export function readResultFile(path: string): LoadtestResult {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}`)
  }
  try {
    return parseResult(text)
  } catch (error) {
    throw new Failure(`${path} is not a load test's result: ${(error as Error).message}`)
  }
}
