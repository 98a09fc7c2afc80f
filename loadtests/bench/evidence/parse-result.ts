/** Where a result enters: it is validated here, once, and typed from here on. */
import { SCENARIO_NAMES } from '@hopwhistle/contract/scenarios.ts'
import schema from '../../results.schema.json' with { type: 'json' }
import { RESULTS_FORMAT } from '../../results-format.ts'
import { SERVER_EVIDENCE_FORMAT } from '../sample/server-evidence.ts'
import type { LoadtestResult } from './loadtest-result.ts'
import { schemaCheck } from './schema-check.ts'

const check = schemaCheck(schema)

/**
 * Reads what `results.schema.json` describes. The evidence of the servers is left out when it is in a format that is
 * not understood, which makes the run invalid.
 *
 * @param text JSON
 * @throws {SyntaxError} it is not JSON
 * @throws {Error} it is no result: `its format is "x"; expected "hopwhistle.loadtest/1"`
 */
export function parseResult(text: string): LoadtestResult {
  const { server, ...others } = (JSON.parse(text) ?? {}) as Partial<LoadtestResult>
  if (others.format !== RESULTS_FORMAT) {
    throw new Error(`its format is "${others.format}"; expected "${RESULTS_FORMAT}"`)
  }
  if (others.scenario === undefined || !SCENARIO_NAMES.includes(others.scenario)) {
    throw new Error(`scenario is "${others.scenario}"; it may be ${SCENARIO_NAMES.join(', ')}`)
  }
  const result = server?.format === SERVER_EVIDENCE_FORMAT ? { ...others, server } : others
  const problems = check(result)
  if (problems === undefined) return result as LoadtestResult
  throw new Error(problems)
}
