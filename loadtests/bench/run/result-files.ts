import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { isCompleteResult, keptText, missingOf, partialName } from '../../scenarios/lib/complete-run.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { isSameRun, lacksEvidence } from '../evidence/more-evidence.ts'
import { parseResult } from '../evidence/parse-result.ts'

export const RESULTS_DIR = join(CHECKOUT, 'loadtests', 'results')

/**
 * Writes `loadtests/results/<scenario>.json`; or `<scenario>.partial.json` when this run is not complete, and the file
 * is of one that is. A result of the same run that knows more is not overwritten either: `<scenario>.later.json`.
 *
 * @returns a sentence that says so; undefined when it is written to its usual place
 */
export function writeResult(result: LoadtestResult, dir = RESULTS_DIR): string | undefined {
  mkdirSync(dir, { recursive: true })
  const usual = join(dir, `${result.scenario}.json`)
  const missing = missingOf(result)
  const before = textOf(usual)
  const isPartial = missing !== undefined && isCompleteResult(before)
  const isLater = !isPartial && knowsMore(before, result)
  const path = isPartial ? partialName(usual) : isLater ? laterName(usual) : usual
  writeFileSync(`${path}.new`, `${JSON.stringify(result)}\n`)
  renameSync(`${path}.new`, path)
  const [kept, written] = [relative(CHECKOUT, usual), relative(CHECKOUT, path)]
  if (isPartial) return keptText(kept, written, missing)
  return isLater ? `${kept} knows more of the same run and stays; this result knows less: ${written}` : undefined
}

const laterName = (file: string): string => file.replace(/\.json$/, '.later.json')

/** Whether a file's text is a result of the same run with evidence that this one lacks. */
function knowsMore(text: string, result: LoadtestResult): boolean {
  try {
    const before = parseResult(text)
    return isSameRun(before, result) && lacksEvidence(result, before)
  } catch {
    return false
  }
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
