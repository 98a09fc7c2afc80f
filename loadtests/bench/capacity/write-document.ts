import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { renderSvg } from '@hopwhistle/platform/document/chart/render-svg.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { capacityChart } from './capacity-chart.ts'
import { KEPT_DIR, readCapacities } from './capacity-files.ts'
import type { CapacityResult } from './capacity-result.ts'
import { renderDocument } from './render-text.ts'

const DOCUMENT = fileURLToPath(new URL('../../../docs/capacity.md', import.meta.url))

/** Writes docs/capacity.md and its charts from the measurements that are kept, and from nothing else. @returns their paths */
export async function writeCapacityDocument(): Promise<readonly string[]> {
  const results = await readCapacities(KEPT_DIR)
  const fileOf = ({ environment }: CapacityResult) =>
    join(dirname(DOCUMENT), 'charts', `capacity-${environment.name}.svg`)
  const charts = new Map(
    results.flatMap((result) => {
      const picture = capacityChart(result)
      return picture === undefined ? [] : [[result, renderSvg(picture)] as const]
    }),
  )
  const chartOf = (result: CapacityResult) =>
    charts.has(result) ? relative(dirname(DOCUMENT), fileOf(result)) : undefined
  for (const [result, svg] of charts) await writeWhole(fileOf(result), svg)
  await writeWhole(DOCUMENT, renderDocument(results, chartOf))
  return [DOCUMENT, ...[...charts.keys()].map(fileOf)]
}
