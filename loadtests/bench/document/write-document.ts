import { join } from 'node:path'
import { BASELINE_SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { readBaselines } from './baseline-files.ts'
import { chartFile, chartOf } from './chart-of.ts'
import { documentModel } from './model.ts'
import { PLACES, type Places } from './paths.ts'
import { renderDocument } from './render-document.ts'

/**
 * Writes docs/performance-baselines.md and its charts from the baselines, and from nothing else: the same baselines,
 * the same bytes.
 *
 * @returns the paths of the files written
 * @throws {Error} when there is no baseline yet
 */
export async function writeDocument(places: Places = PLACES): Promise<readonly string[]> {
  const model = documentModel(await readBaselines(places.baselines))
  const charts = BASELINE_SCENARIOS.flatMap((scenario) => {
    const svg = chartOf(model, scenario)
    return svg === undefined ? [] : [[join(places.charts, chartFile(scenario)), svg] as const]
  })
  const files = [[places.document, renderDocument(model)] as const, ...charts]
  for (const [path, content] of files) await writeWhole(path, content)
  return files.map(([path]) => path)
}
