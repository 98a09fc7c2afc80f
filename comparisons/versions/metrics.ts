/** What is compared, and the log ratio that each round gives of it. */

import { type Component, type Kind, type Round, SIDES, type Side, type WindowSide } from './measured.ts'
import type { RoundEffect } from './statistics/decide.ts'

export type Metric = {
  /** `ingest.p99`, `live.cpu.redis`: the same in every run. */
  readonly id: string
  readonly label: string
  readonly unit: string
  readonly worse: 'more' | 'less'
  /** Values of a side in a round, one a window; one that is not positive has no ratio and is left out. */
  values(round: Round, side: Side): readonly number[]
}

const MIB = 1024 * 1024

/** What a kind of load is called. */
export const THING: Readonly<Record<Kind, { readonly title: string; readonly one: string; readonly many: string }>> = {
  ingest: { title: 'Call events', one: 'an event', many: 'events' },
  reports: { title: 'Reports', one: 'a report', many: 'reports' },
  live: { title: 'Live delivery', one: 'a delivery', many: 'deliveries' },
}

const COMPONENT_NAMES: Readonly<Record<Component, string>> = {
  api: 'API',
  primary: 'Postgres primary',
  replica: 'Postgres replica',
  redis: 'Redis',
}

/** Those that do the work. The others of a kind only have what goes on in the background. */
const WORKING: Readonly<Record<Kind, readonly Component[]>> = {
  ingest: ['api', 'primary', 'replica', 'redis'],
  reports: ['api', 'replica', 'redis'],
  live: ['api', 'redis'],
}

export const METRICS: readonly Metric[] = [
  ...(Object.keys(THING) as Kind[]).flatMap(metricsOf),
  {
    id: 'memory.api',
    label: 'Memory of an API instance',
    unit: 'MB',
    worse: 'more',
    values: ({ memoryBytes }, side) => [memoryBytes[side] / MIB],
  },
]

function metricsOf(kind: Kind): readonly Metric[] {
  const { title, one, many } = THING[kind]
  const metric = (
    id: string,
    label: string,
    unit: string,
    of: (side: WindowSide) => number,
    worse: Metric['worse'] = 'more',
  ): Metric => ({
    id: `${kind}.${id}`,
    label: `${title}: ${label}`,
    unit,
    worse,
    values: ({ windows }, side) => windows.filter((window) => window.kind === kind).map(({ sides }) => of(sides[side])),
  })
  return [
    metric('rate', `${many}/s`, '/s', ({ perSecond }) => perSecond, 'less'),
    metric('p50', 'p50', 'ms', ({ latency }) => latency.p50Ms),
    metric('p95', 'p95', 'ms', ({ latency }) => latency.p95Ms),
    metric('p99', 'p99', 'ms', ({ latency }) => latency.p99Ms),
    ...WORKING[kind].map((component) =>
      metric(
        `cpu.${component}`,
        `CPU of ${COMPONENT_NAMES[component]} for ${one}`,
        'µs',
        ({ cpuSeconds, done }) => (1e6 * cpuSeconds[component]) / done,
      ),
    ),
    ...(kind === 'ingest'
      ? [
          metric('wal', `WAL for ${one}`, 'B', ({ walBytes, done }) => walBytes / done),
          metric('statements', `statements for ${one}`, '', ({ statements, done }) => statements / done),
        ]
      : []),
  ]
}

/**
 * Log ratio of each pair of windows, averaged over the round: windows of the same processes are one observation.
 *
 * @returns one for each round that has a ratio
 */
export function effectsOf({ values, worse }: Metric, rounds: readonly Round[]): readonly RoundEffect[] {
  return rounds.flatMap((round) => {
    const [base, head] = SIDES.map((side) => values(round, side)) as [readonly number[], readonly number[]]
    const ratios = base.flatMap((value, i) => {
      const ratio = Math.log(head[i]! / value)
      return Number.isFinite(ratio) ? [ratio] : []
    })
    if (ratios.length === 0) return []
    const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length
    return [{ effect: worse === 'more' ? mean : -mean, servers: round.servers }]
  })
}
