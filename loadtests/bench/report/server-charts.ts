/** What the servers did meanwhile, on the same seconds as the latencies. */
import { type Drawn, draw, shown, type TimeChart } from '@hopwhistle/platform/document/page/page-chart.ts'
import { loadSeconds, startOf } from '../document/chart-data.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { rounded } from '../findings/stat.ts'
import type { Series, ServerEvidence } from '../sample/server-evidence.ts'

type Line = { readonly name: string; readonly series: Series | undefined }
type Shown = Pick<TimeChart, 'title' | 'description' | 'unit' | 'stacked'> & {
  readonly name: string
  readonly lines: readonly Line[]
}

/** @param group of the charts that share their cursor and zoom */
export function serverCharts(result: LoadtestResult, group: string): readonly Drawn[] {
  const { server } = result
  if (server === undefined) return []
  const phases = result.runners[0]?.settings.phases ?? []
  const seconds = loadSeconds(result)
  const offset = (Date.parse(server.startedAt) - startOf(result)) / 1000
  return chartsOf(server).flatMap(({ name, lines, ...chart }) => {
    const known = lines.flatMap(({ name, series }) => (series === undefined ? [] : [{ name, series }]))
    const drawn = known.map(({ name, series }) => ({ name, points: pointsOf(series, server, offset, seconds) }))
    if (drawn.every(({ points }) => points.every(([, value]) => value === null || value === 0))) return []
    const time: TimeChart = {
      ...chart,
      kind: 'time',
      id: `${group}-${name}`,
      group,
      seconds,
      phases,
      lines: drawn,
    }
    const rows = (drawn[0]?.points ?? []).map(([at], i) =>
      shown([at, ...drawn.map(({ points }) => points[i]?.[1] ?? null)]),
    )
    const header = ['Seconds', ...drawn.map(({ name }) => `${name}, ${chart.unit}`)]
    return [draw(time, { header, rows })]
  })
}

function chartsOf({
  processes,
  otherPrograms = [],
  kubernetes,
  machine,
  api,
  postgres,
  redis,
}: ServerEvidence): Shown[] {
  const pods = kubernetes?.pods ?? []
  const perInstance = (series: (one: (typeof api)[number]) => Series | undefined): Line[] =>
    api.map((one, i) => ({ name: `api-${i + 1}`, series: series(one) }))
  return [
    {
      name: 'cpu',
      title: 'CPU',
      description: `Cores in use, by program${machine === undefined ? '' : `, of ${machine.cores}`}.`,
      unit: 'cores',
      stacked: true,
      lines: [
        ...processes.map(({ name, cpuCores }) => ({ name, series: cpuCores })),
        ...pods.map(({ pod, cpuCores }) => ({ name: pod, series: cpuCores })),
        ...otherPrograms
          .slice(0, 3)
          .map(({ name, cpuCores }) => ({ name: `${name} (another program)`, series: cpuCores })),
      ],
    },
    {
      name: 'memory',
      title: 'Memory',
      description: 'Of each server with all its processes.',
      unit: 'MB',
      lines: [...processes, ...pods.map(({ pod, memoryBytes }) => ({ name: pod, memoryBytes }))].map(
        ({ name, memoryBytes }) => ({
          name,
          series: scaled(memoryBytes, 1 / 1024 ** 2),
        }),
      ),
    },
    {
      name: 'event-loop',
      title: 'Event loop of the API',
      description: 'The share of the time in which it worked. At 100 % requests queue.',
      unit: '%',
      lines: perInstance(({ gauges }) => scaled(gauges.hopwhistle_event_loop_utilization_ratio, 100)),
    },
    {
      name: 'in-flight',
      title: 'Requests in flight',
      description: 'In each API instance.',
      unit: 'requests',
      lines: perInstance(({ gauges }) => gauges.hopwhistle_http_requests_in_flight),
    },
    {
      name: 'commits',
      title: 'Postgres: transactions',
      description: 'Committed each second.',
      unit: 'commits/s',
      lines: [
        { name: 'primary', series: postgres?.primary.database.commitsPerSecond },
        { name: 'replica', series: postgres?.replica?.database.commitsPerSecond },
      ],
    },
    {
      name: 'connections',
      title: 'Postgres: connections of the primary',
      description: 'By what they were doing.',
      unit: 'connections',
      lines: [
        { name: 'active', series: postgres?.primary.connections.active },
        { name: 'waiting for a lock', series: postgres?.primary.connections.waitingForLock },
        { name: 'idle', series: postgres?.primary.connections.idle },
      ],
    },
    {
      name: 'wal',
      title: 'Postgres: WAL',
      description: 'Written by the primary, and how far the replica was behind.',
      unit: 'kB',
      lines: [
        { name: 'written each second', series: scaled(postgres?.primary.walBytesPerSecond, 1 / 1024) },
        { name: 'replica behind', series: scaled(postgres?.primary.replication?.lagBytes, 1 / 1024) },
      ],
    },
    {
      name: 'redis',
      title: 'Redis: commands',
      description: 'Each second.',
      unit: 'commands/s',
      lines: [{ name: 'commands', series: redis?.commandsPerSecond }],
    },
  ]
}

function pointsOf(
  series: Series,
  { atSeconds }: ServerEvidence,
  offset: number,
  seconds: number,
): (readonly [number, number | null])[] {
  return atSeconds.flatMap((at, i) => {
    const second = Math.round(10 * (at + offset)) / 10
    if (second < 0 || second > seconds) return []
    const value = typeof series === 'number' ? series : (series[i] ?? null)
    return [[second, value === null ? null : rounded(value)] as const]
  })
}

const scaled = (series: Series | undefined, factor: number): Series | undefined =>
  series === undefined || typeof series === 'number'
    ? series && series * factor
    : series.map((value) => value && value * factor)
