import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { TRAFFIC, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import type { SeriesPoint } from '../../results-format.ts'
import { histogramCount, mergeHistograms, percentileMs } from '../../scenarios/lib/histogram.ts'
import { SENDING_PHASES } from '../../scenarios/lib/phases.ts'
import { latencyOf } from '../../scenarios/lib/totals.ts'
import { mean, phaseTimes } from '../evidence/evidence.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import type { Series, ServerEvidence } from '../sample/server-evidence.ts'
import type { WorstWindow } from './facts.ts'
import { rounded } from './stat.ts'

/** A p99 of fewer samples says nothing about a window. */
const LEAST_SAMPLES = 50
/** What is at least this many times as high as usual stands out. */
const UNUSUAL = 1.5
const UNUSUAL_KEPT = 4
/** What is less than this is too small to slow anything down, however unusual. */
const LEAST: Readonly<Record<WorstWindow['unusual'][number]['unit'], number>> = {
  cores: 0.1,
  'bytes/s': 500_000,
  bytes: 100_000,
  ratio: 0.2,
  count: 1,
}

/** @returns undefined when the run was not watched window by window */
export function worstWindow(result: LoadtestResult, server: ServerEvidence): WorstWindow | undefined {
  const times = phaseTimes(result, 'peak')
  if (times === undefined) return undefined
  const windows = (result.series ?? []).flatMap((point) => {
    const to = Date.parse(point.at)
    const from = to - 1000 * point.windowSeconds
    const p99 = p99Of(result, point)
    return p99 === undefined || from < times.from || to > times.to ? [] : [{ from, to, p99 }]
  })
  const [first] = windows
  if (first === undefined || windows.length < 3) return undefined
  const worst = windows.reduce((a, b) => (b.p99 > a.p99 ? b : a), first)
  const typical = windows.map(({ p99 }) => p99).sort((a, b) => a - b)[Math.floor(windows.length / 2)] ?? worst.p99
  const startedAt = Math.min(...result.runners.map((runner) => Date.parse(runner.startedAt)))
  return {
    atSeconds: Math.round((worst.from - startedAt) / 1000),
    windowSeconds: rounded((worst.to - worst.from) / 1000),
    p99: rounded(worst.p99),
    typicalP99: rounded(typical),
    unusual: unusualIn(server, worst, times),
  }
}

function p99Of(result: LoadtestResult, { counters, histograms }: SeriesPoint): number | undefined {
  const { latency: name } = TRAFFIC[trafficIn(result.scenario)[0]]
  const latency = mergeHistograms(SENDING_PHASES.map((phase) => latencyOf(name, { counters, histograms }, phase)))
  return histogramCount(latency) < LEAST_SAMPLES ? undefined : percentileMs(latency, 99)
}

type Span = { readonly from: number; readonly to: number }
type Watched = { readonly what: string; readonly unit: WorstWindow['unusual'][number]['unit']; readonly series: Series }

function unusualIn(server: ServerEvidence, window: Span, peak: Span): WorstWindow['unusual'] {
  const start = Date.parse(server.startedAt)
  const within = ({ from, to }: Span, series: Series) =>
    typeof series === 'number'
      ? [series]
      : series.filter((value, i): value is number => {
          const at = start + 1000 * (server.atSeconds[i] ?? 0)
          // A rate is of the second before its sample.
          return value !== null && at > from && at <= to + 500
        })
  return watched(server)
    .flatMap(({ what, unit, series }) => {
      const value = mean(within(window, series))
      const usual = mean(within(peak, series))
      if (value === undefined || usual === undefined || usual <= 0 || value < UNUSUAL * usual || value < LEAST[unit])
        return []
      return [{ what, unit, value: rounded(value), usual: rounded(usual) }]
    })
    .sort((a, b) => b.value / b.usual - a.value / a.usual)
    .slice(0, UNUSUAL_KEPT)
}

function watched({ machine, processes, api, postgres, redis }: ServerEvidence): readonly Watched[] {
  return [
    ...(machine === undefined
      ? []
      : ([
          { what: 'CPU stolen by the host', unit: 'cores', series: machine.cpuCores.steal },
          { what: 'waiting for the disk', unit: 'cores', series: machine.cpuCores.iowait },
          { what: 'disk writes', unit: 'bytes/s', series: machine.disk.writeBytesPerSecond },
        ] as const)),
    ...processes.map(({ name, cpuCores }) => ({ what: `CPU of ${name}`, unit: 'cores' as const, series: cpuCores })),
    ...api.flatMap(({ instance, gauges }) => {
      const series = gauges[METRICS.eventLoopUtilization]
      return series === undefined ? [] : [{ what: `event loop of ${instance}`, unit: 'ratio' as const, series }]
    }),
    ...(postgres === undefined
      ? []
      : ([
          { what: 'WAL written', unit: 'bytes/s', series: postgres.primary.walBytesPerSecond },
          { what: 'sessions waiting for a lock', unit: 'count', series: postgres.primary.connections.waitingForLock },
          ...(postgres.primary.replication === undefined
            ? []
            : [{ what: 'replica lag', unit: 'bytes', series: postgres.primary.replication.lagBytes } as const]),
        ] as const)),
    ...(redis === undefined
      ? []
      : ([{ what: 'bytes sent by Redis', unit: 'bytes/s', series: redis.outputBytesPerSecond }] as const)),
  ]
}
