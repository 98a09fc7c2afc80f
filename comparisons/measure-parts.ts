import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { number } from '@hopwhistle/platform/document/figures.ts'
import { readPlace } from '@hopwhistle/platform/machine/place.ts'
import { measureCost } from './cost/measure-cost.ts'
import { measureEventCost } from './event-cost/measure-event-cost.ts'
import { measureIdle } from './idle/measure-idle.ts'
import { measureIngest } from './ingest/measure-ingest.ts'
import { measureLive } from './live/measure-live.ts'
import { type CpuUse, startCpuMeter } from './measure/cpu-meter.ts'
import { MEMORY_MINUTES, type MeasurePart, type PartName, type PartOptions, ROUNDS } from './parts.ts'
import { type PartRecord, writeRaw } from './record.ts'
import { measureReports } from './reports/measure-reports.ts'
import { measureScale } from './scale/measure-scale.ts'

const MEASURE: Readonly<Record<PartName, MeasurePart>> = {
  ingest: measureIngest,
  'event-cost': measureEventCost,
  idle: measureIdle,
  reports: measureReports,
  live: measureLive,
  scale: measureScale,
  cost: measureCost,
}

export type MeasuredPart = {
  readonly part: PartName
  readonly record: PartRecord
  readonly rawPath: string
  /** Why the figures may be wrong: other programs took CPU. */
  readonly disturbed: string | undefined
}

/**
 * Measures one part and writes its raw numbers.
 *
 * @throws {Failure} outside Linux, because it needs the CPU times of /proc, and when the measurement is not valid
 */
export async function measurePart(part: PartName, options: PartOptions, resultsDir?: string): Promise<MeasuredPart> {
  if (process.platform !== 'linux') throw new Failure('CPU times are read from /proc: run this on Linux')
  const { source, ...place } = await readPlace()
  const measuredAt = new Date().toISOString()
  const stop = startCpuMeter({ here: [process.pid] })
  const ended = () => `✓ ${part.padEnd(22)} ${options.rounds} rounds`
  const { raw, notes, ...result } = await options.terminal.during(part, () => MEASURE[part](options), ended)
  const used = stop()
  const { note, tooMuch } = othersUse(used, place.machine.cores)
  const record: PartRecord = {
    measuredAt,
    durationSeconds: Math.round(used.seconds),
    source,
    ...result,
    notes: [...notes, note],
  }
  const rawPath = await writeRaw(part, { complete: isComplete(part, options), ...place, ...record, raw }, resultsDir)
  return { part, record, rawPath, disturbed: tooMuch ? note : undefined }
}

const isComplete = (part: PartName, { quick, rounds, memoryMinutes }: PartOptions): boolean =>
  !quick && rounds >= ROUNDS && (part !== 'scale' || memoryMinutes >= MEMORY_MINUTES)

/** Of all cores: the platform and its generator then lack them. */
const OTHERS_ALLOWED = 0.1

/** CPU use of other processes: everything that is measured is a child of this process, and counted with it. */
export function othersUse(
  { seconds, idleShare, cpuSeconds }: CpuUse,
  cores: number,
): { readonly note: string; readonly tooMuch: boolean } {
  const others = Math.max(0, cores * (1 - idleShare) - cpuSeconds.here! / seconds)
  return {
    note: `Other processes and the kernel used ${number(others, 2)} of ${cores} cores.`,
    tooMuch: others > OTHERS_ALLOWED * cores,
  }
}
