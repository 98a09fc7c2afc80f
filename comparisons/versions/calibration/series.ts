/** What `calibrate` measures: a version compared with itself, and with itself made slower in one respect. */
import { fileURLToPath } from 'node:url'
import type { PlatformCode } from '@hopwhistle/platform/checkout/platform-code.ts'

export type Slowdown = {
  /** Of METRICS: what gets slower. Others may, too. */
  readonly metric: string
  /** What it was made for: 0.05 is 5 %. How large it came out is measured. */
  readonly aim: number
  readonly how: string
  readonly nodeEnv: Readonly<Record<string, string>>
}

export type Series = {
  readonly title: string
  /** How many there are to be. */
  readonly runs: number
  /** Absent: both sides are equal. */
  readonly slowdown?: Slowdown
  /** Cores that another program takes meanwhile. */
  readonly neighbourCores: number
}

/** Of the 2 cores of the machine that it is made for. */
const THIRD_OF_THE_CPU = 2 / 3

// At the usual load an event costs the API 440 us, p50 of live delivery is 12 ms, and p99 of reports 11 ms.
const SLOWDOWNS = {
  'ingest-cpu': {
    metric: 'ingest.cpu.api',
    aim: 0.05,
    how: 'each request that posts events spins for 22 µs',
    nodeEnv: { SLOW_EVENTS_US: '22' },
  },
  'live-p50': {
    metric: 'live.p50',
    aim: 0.05,
    how: 'frames are sent every 11 ms, not 10',
    nodeEnv: { LIVE_TICK_MS: '11' },
  },
  'reports-p99': {
    metric: 'reports.p99',
    aim: 0.1,
    how: 'one report in 33 begins 4 ms later',
    nodeEnv: { SLOW_REPORTS_MS: '4', SLOW_REPORTS_EVERY: '33' },
  },
} as const satisfies Record<string, Slowdown>
type SlowdownName = keyof typeof SLOWDOWNS

export type SeriesName = 'equal' | SlowdownName | `${SlowdownName}-disturbed`

export const SERIES: Readonly<Record<SeriesName, Series>> = {
  equal: { title: 'Equal versions', runs: 40, neighbourCores: 0 },
  'ingest-cpu': slowed('CPU of the API for an event', 'ingest-cpu'),
  'live-p50': slowed('Median of live delivery', 'live-p50'),
  'reports-p99': slowed('p99 of reports', 'reports-p99'),
  'ingest-cpu-disturbed': disturbed('CPU of the API for an event', 'ingest-cpu'),
  'live-p50-disturbed': disturbed('Median of live delivery', 'live-p50'),
  'reports-p99-disturbed': disturbed('p99 of reports', 'reports-p99'),
}

export const SERIES_NAMES = Object.keys(SERIES) as readonly SeriesName[]

function slowed(title: string, name: SlowdownName): Series {
  return { title, runs: 12, slowdown: SLOWDOWNS[name], neighbourCores: 0 }
}

function disturbed(title: string, name: SlowdownName): Series {
  return { title, runs: 6, slowdown: SLOWDOWNS[name], neighbourCores: THIRD_OF_THE_CPU }
}

export const bySeries = <T>(of: (name: SeriesName) => T): Readonly<Record<SeriesName, T>> =>
  Object.fromEntries(SERIES_NAMES.map((name) => [name, of(name)])) as Record<SeriesName, T>

const PRELOADED = fileURLToPath(new URL('slow-down.ts', import.meta.url))

/** The same code, with the slowdown. */
export const withSlowdown = (code: PlatformCode, { nodeEnv }: Slowdown): PlatformCode => ({
  ...code,
  nodeFlags: [...code.nodeFlags, '--import', PRELOADED],
  nodeEnv: { ...code.nodeEnv, ...nodeEnv },
})

/** @param made how many runs there are of each series. @returns the one that has the smallest part of its runs */
export function nextSeries(
  made: (name: SeriesName) => number,
  among: readonly SeriesName[] = SERIES_NAMES,
): SeriesName | undefined {
  const part = (name: SeriesName): number => made(name) / SERIES[name].runs
  const [first] = among.filter((name) => part(name) < 1).toSorted((a, b) => part(a) - part(b))
  return first
}
