/** Where capacity measurements are kept, and how one enters: it is validated here, once. */
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SCENARIO_NAMES } from '@hopwhistle/contract/scenarios.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { renderJson, writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import schema from '../../capacity.schema.json' with { type: 'json' }
import { schemaCheck } from '../evidence/schema-check.ts'
import { CAPACITY_FORMAT, type CapacityResult } from './capacity-result.ts'

/** One for each environment, for the document. */
export const KEPT_DIR = fileURLToPath(new URL('../../baselines/capacity', import.meta.url))

const check = schemaCheck(schema)

/** @throws {Failure} it cannot be read, or is no capacity measurement */
export function readCapacity(path: string): CapacityResult {
  const wrong = (why: string) => new Failure(`${path} is not a capacity measurement: ${why}`)
  let given: Partial<CapacityResult> | null
  try {
    given = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw error instanceof SyntaxError
      ? wrong(error.message)
      : new Failure(`${path} cannot be read: ${(error as Error).message}`)
  }
  if (given?.format !== CAPACITY_FORMAT) throw wrong(`its format is "${given?.format}"; expected "${CAPACITY_FORMAT}"`)
  const problems = check(given)
  if (problems !== undefined) throw wrong(problems)
  const result = given as CapacityResult
  const unknown = result.points.find(({ scenario }) => !SCENARIO_NAMES.includes(scenario))
  if (unknown !== undefined) throw wrong(`scenario is "${unknown.scenario}"; it may be ${SCENARIO_NAMES.join(', ')}`)
  return result
}

export const writeCapacity = (path: string, result: CapacityResult): Promise<void> =>
  writeWhole(path, `${renderJson(result)}\n`)

/** All that are kept in a folder, by name of environment. */
export async function readCapacities(folder: string): Promise<readonly CapacityResult[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => readCapacity(join(folder, name)))
}
