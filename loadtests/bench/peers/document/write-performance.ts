import { join } from 'node:path'
import { writeWhole } from '../../document/baseline-files.ts'
import { minute } from '../../document/markdown.ts'
import { CHECKOUT } from '../../stack/stack-record.ts'
import type { PeersRecord } from '../record.ts'
import { renderBarChart } from './bar-chart.ts'
import { panelsOf } from './panels.ts'
import { CHART, renderPerformance } from './render-performance.ts'

/** Writes docs/performance.md and its chart. @returns their paths */
export async function writePerformance(record: PeersRecord, docs = join(CHECKOUT, 'docs')): Promise<readonly string[]> {
  const newest = Object.values(record.parts)
    .map(({ measuredAt }) => measuredAt)
    .sort()
    .at(-1)!
  const subtitle = `Median, and the range of the rounds as a line; ${minute(newest)}, ${record.name}`
  const files = [
    [join(docs, 'performance.md'), renderPerformance(record)],
    [join(docs, CHART), renderBarChart('Beside what one would write or take instead', subtitle, panelsOf(record))],
  ] as const
  for (const [path, content] of files) await writeWhole(path, content)
  return files.map(([path]) => path)
}
