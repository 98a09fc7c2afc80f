import type { Load, LoadResult } from '../generator/load.ts'
import type { EventGenerator, Generator } from '../generator/start-generator.ts'
import { type CpuUse, startCpuMeter, type WatchedGroups } from './cpu-meter.ts'

/** A load, what it was answered, and what every server used meanwhile. */
export type Loaded = { readonly load: LoadResult; readonly cpu: CpuUse }

/** Runs a load after another one that warms up and is not counted. */
export async function measureLoad(
  generator: Generator | EventGenerator,
  groups: WatchedGroups,
  load: Load,
  warmUpSeconds: number,
): Promise<Loaded> {
  await generator.run({ ...load, seconds: warmUpSeconds })
  return measureWarm(generator, groups, load)
}

/** The same for what is warm already. */
export async function measureWarm(
  generator: Generator | EventGenerator,
  groups: WatchedGroups,
  load: Load,
): Promise<Loaded> {
  const stop = startCpuMeter({ ...groups, generator: [generator.pid] })
  const result = await generator.run(load)
  return { load: result, cpu: stop() }
}

/** CPU milliseconds of these groups together for each thing that was answered. */
export const cpuMsEach = ({ load, cpu }: Loaded, groups: readonly string[]): number =>
  (1000 * groups.reduce((sum, name) => sum + (cpu.cpuSeconds[name] ?? 0), 0)) / load.answered

/** Cores that a group kept busy. */
export const coresOf = ({ cpu }: Loaded, group: string): number => (cpu.cpuSeconds[group] ?? 0) / cpu.seconds
