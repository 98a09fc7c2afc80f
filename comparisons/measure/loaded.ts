import type { Load, LoadResult } from '../generator/load.ts'
import type { EventGenerator, Generator } from '../generator/start-generator.ts'
import { type CpuUse, startCpuMeter, type WatchedGroups } from './cpu-meter.ts'

/** The result of a load, and the CPU of every server meanwhile. */
export type Loaded = { readonly load: LoadResult; readonly cpu: CpuUse }

/** Runs a load after a warm-up that is not counted. */
export async function measureLoad(
  generator: Generator | EventGenerator,
  groups: WatchedGroups,
  load: Load,
  warmUpSeconds: number,
): Promise<Loaded> {
  await generator.run({ ...load, seconds: warmUpSeconds })
  return measureWarm(generator, groups, load)
}

/** The same without a warm-up. */
export async function measureWarm(
  generator: Generator | EventGenerator,
  groups: WatchedGroups,
  load: Load,
): Promise<Loaded> {
  const stop = startCpuMeter({ ...groups, generator: [generator.pid] })
  const result = await generator.run(load)
  return { load: result, cpu: stop() }
}

/** CPU milliseconds of these groups together, for each answered request. */
export const cpuMsEach = ({ load, cpu }: Loaded, groups: readonly string[]): number =>
  (1000 * groups.reduce((sum, name) => sum + (cpu.cpuSeconds[name] ?? 0), 0)) / load.answered

/** Cores that a group used. */
export const coresOf = ({ cpu }: Loaded, group: string): number => (cpu.cpuSeconds[group] ?? 0) / cpu.seconds
