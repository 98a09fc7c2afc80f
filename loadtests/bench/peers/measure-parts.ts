import { duration } from '../lib/terminal.ts'
import { readPlace } from '../run/read-environment.ts'
import { measureCost } from './cost/measure-cost.ts'
import { measureIngest } from './ingest/measure-ingest.ts'
import { measureLive } from './live/measure-live.ts'
import type { MeasurePart, PartName, PartOptions } from './parts.ts'
import type { PartRecord } from './record.ts'
import { writeRaw } from './record.ts'
import { measureReports } from './reports/measure-reports.ts'
import { measureScale } from './scale/measure-scale.ts'

const MEASURE: Readonly<Record<PartName, MeasurePart>> = {
  ingest: measureIngest,
  reports: measureReports,
  live: measureLive,
  scale: measureScale,
  cost: measureCost,
}

export type MeasuredPart = { readonly part: PartName; readonly record: PartRecord; readonly rawPath: string }

/** Measures one part and writes its raw numbers. @throws whatever makes the measurement worth nothing */
export async function measurePart(part: PartName, options: PartOptions, resultsDir?: string): Promise<MeasuredPart> {
  const startedAt = performance.now()
  const measuredAt = new Date().toISOString()
  const { raw, ...result } = await MEASURE[part](options)
  const { source, ...place } = await readPlace()
  const ms = performance.now() - startedAt
  const record: PartRecord = { measuredAt, durationSeconds: Math.round(ms / 1000), source, ...result }
  const rawPath = await writeRaw(part, { ...place, ...record, raw }, resultsDir)
  options.terminal.step(`  ✓ ${part.padEnd(22)} ${options.rounds} rounds (${duration(ms)})`)
  return { part, record, rawPath }
}
