import type { LoadtestResult } from '../../results-format.ts'
import { PLACES, type Places } from './paths.ts'

/**
 * Keeps what the document needs of each result in the baseline of their environment. Scenarios that are not among the
 * results keep what they have, with its own date, commit and profile.
 *
 * @param results of one environment, each with its verdict
 * @returns the path of the file written
 */
export async function writeBaseline(_results: readonly LoadtestResult[], places: Places = PLACES): Promise<string> {
  throw new Error(`not written yet: ${places.baselines}`)
}
