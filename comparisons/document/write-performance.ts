import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { renderSvg } from '@hopwhistle/platform/document/chart/render-svg.ts'
import { minute } from '@hopwhistle/platform/document/markdown.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { type PeersRecord, RECORDS, readRecord } from '../record.ts'
import { barChart } from './bar-chart.ts'
import { panelsOf } from './panels.ts'
import { CHART, renderPerformance } from './render-performance.ts'

const DOCS = join(CHECKOUT, 'docs')

/** Writes docs/performance.md and its chart, for the environment that was measured last. @returns their paths */
export async function writeNewestPerformance(docs = DOCS): Promise<readonly string[]> {
  const records = readdirSync(RECORDS).map((file) => readRecord(join(RECORDS, file))!)
  const newest = records.toSorted((a, b) => measuredLast(a).localeCompare(measuredLast(b))).at(-1)
  return newest === undefined ? [] : writePerformance(newest, docs)
}

/** The same for one environment. */
export async function writePerformance(record: PeersRecord, docs = DOCS): Promise<readonly string[]> {
  const subtitle = `Median, and the range of the rounds as a line; ${minute(measuredLast(record))}, ${record.name}`
  const files = [
    [join(docs, 'performance.md'), renderPerformance(record)],
    [join(docs, CHART), renderSvg(barChart('Comparison with alternatives', subtitle, panelsOf(record)))],
  ] as const
  for (const [path, content] of files) await writeWhole(path, content)
  return files.map(([path]) => path)
}

/** As ISO 8601, which sorts. */
const measuredLast = ({ parts }: PeersRecord): string =>
  Object.values(parts)
    .map(({ measuredAt }) => measuredAt)
    .sort()
    .at(-1) ?? ''
