import { join } from 'node:path'
import type { ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { renderJson, writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { environmentOf, type ScenarioBaseline, updated } from './baseline.ts'
import { readBaseline } from './baseline-files.ts'
import { PLACES, type Places } from './paths.ts'

const NAME = /^[a-z0-9][a-z0-9._-]*$/

export type WrittenBaseline = {
  readonly path: string
  /** Valid baselines that an invalid one among the results did not replace. */
  readonly kept: readonly (ScenarioBaseline & { readonly scenario: ScenarioName })[]
}

/**
 * Keeps what the document needs of each result in the baseline of their environment. Scenarios that are not among the
 * results keep what they have, with its own date, commit and profile; an invalid result does not replace a
 * valid one, but is noted next to it.
 *
 * @param results of one environment, each with its verdict
 * @throws {Error} when there is none, or they are of different environments
 */
export async function writeBaseline(
  results: readonly LoadtestResult[],
  places: Places = PLACES,
): Promise<WrittenBaseline> {
  const names = [...new Set(results.map((result) => environmentOf(result).name))]
  const [name] = names
  if (name === undefined) throw new Error('there is no result to write a baseline from')
  if (names.length > 1) throw new Error(`results of different environments are not one baseline: ${names.join(', ')}`)
  if (!NAME.test(name)) {
    throw new Error(`environment.name is "${name}"; it names a file and may have a-z, 0-9, ".", "_" and "-"`)
  }
  const path = join(places.baselines, `${name}.json`)
  const before = await readBaseline(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  const after = updated(before, results, name)
  await writeWhole(path, `${renderJson(after)}\n`)
  const kept = results.flatMap((result) => {
    const { scenario } = result
    const baseline = after.scenarios[scenario]
    return baseline?.newerInvalid?.runId === result.runId ? [{ ...baseline, scenario }] : []
  })
  return { path, kept }
}
