import { PLACES, type Places } from './paths.ts'

/**
 * Writes docs/performance-baselines.md and its charts from the baselines, and from nothing else: the same baselines,
 * the same bytes.
 *
 * @returns the paths of the files written
 */
export async function writeDocument(places: Places = PLACES): Promise<readonly string[]> {
  throw new Error(`not written yet: ${places.document}`)
}
