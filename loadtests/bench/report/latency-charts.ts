/** The latencies of a run: over time, as a heat map, as a distribution and by percentile. */
import { rateOf, TRAFFIC, type TrafficKind, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import type { Role } from '@hopwhistle/platform/document/chart/theme.ts'
import { figure, number } from '@hopwhistle/platform/document/figures.ts'
import {
  chartFigure,
  type Drawn,
  type PageChart,
  type PercentileChart,
  shown,
  type TimeChart,
} from '@hopwhistle/platform/document/page/page-chart.ts'
import type { HistogramData } from '../../results-format.ts'
import { bucketUpperMs, histogramCount, percentileMs } from '../../scenarios/lib/histogram.ts'
import { totalsOf } from '../../scenarios/lib/totals.ts'
import { loadSeconds, trafficInWindow, type Window, windowsOf } from '../document/chart-data.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { trafficOf } from '../evidence/traffic.ts'
import type { Verdict } from '../evidence/verdict.ts'
import { rounded } from '../findings/stat.ts'

/** More windows than these, an eye cannot tell apart. */
const MOST_WINDOWS = 240
const MOST_HEAT_WINDOWS = 90
/** Buckets of a histogram that make one band of a heat map, or one bar. */
const BAND = { heat: 6, bars: 2 } as const
const PERCENTILES = [50, 95, 99] as const
const CURVE = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.995, 99.999]

/** @param group of the charts that share their cursor and zoom */
export function latencyCharts(
  result: LoadtestResult,
  verdict: Verdict,
  kind: TrafficKind,
  group: string,
): readonly Drawn[] {
  const counted = (most: number): readonly Counted[] =>
    windowsOf(result, most).map((window) => ({ ...window, ...trafficInWindow(kind, window.totals) }))
  const windows = counted(MOST_WINDOWS)
  const peak = trafficOf(kind, totalsOf(result.runners), 'peak').latency
  const [first] = trafficIn(result.scenario)
  const metrics = verdict.metrics.filter(({ of = first }) => of === kind)
  const time = { group, seconds: loadSeconds(result), phases: result.runners[0]?.settings.phases ?? [] }
  const timed = { id: kind, many: TRAFFIC[kind].many }
  const targets = metrics.flatMap(({ name, unit, target }) =>
    unit === 'ms' ? [{ percentile: Number(name.slice(1)), ms: target }] : [],
  )
  return [
    ...(windows.length === 0
      ? []
      : [
          latency(windows, timed, targets, time),
          rate(windows, kind, result, time),
          heat(counted(MOST_HEAT_WINDOWS), timed, time),
        ]),
    ...(histogramCount(peak) === 0 ? [] : [distribution(peak, timed, group), percentiles(peak, timed, targets, group)]),
  ]
}

/** A window, and what its traffic came to. */
type Counted = Window & ReturnType<typeof trafficInWindow>
type Latencies = Window & { readonly latency: HistogramData }
export type Time = Pick<TimeChart, 'group' | 'seconds' | 'phases'>
/** What was timed; the id ends those of its charts. */
type Timed = { readonly id: string; readonly many: string }
type Targets = NonNullable<PercentileChart['targets']>

const middle = ({ from, to }: Pick<Window, 'from' | 'to'>): number => Math.round(5 * (from + to)) / 10

export function latency(windows: readonly Latencies[], { id, many }: Timed, targets: Targets, time: Time): Drawn {
  const rows = windows.map(
    (window) =>
      [middle(window), ...PERCENTILES.map((percent) => roundedOr(percentileMs(window.latency, percent)))] as const,
  )
  const chart: TimeChart = {
    ...time,
    kind: 'time',
    id: `${time.group}-latency-${id}`,
    title: 'Latency over time',
    description: `Of ${many}, in windows of ${figure(windows[0]?.seconds ?? 0)} s; dashed are the targets.`,
    unit: 'ms',
    log: true,
    lines: PERCENTILES.map((percent, i) => ({
      name: `p${percent}`,
      colour: roleOf(percent),
      points: rows.map((row) => [row[0], row[i + 1] ?? null] as const),
    })),
    targets: targets.map(({ percentile, ms }) => ({
      value: ms,
      text: `p${percentile} < ${number(ms)} ms`,
      colour: roleOf(percentile),
    })),
  }
  return {
    chart,
    figure: chartFigure(chart, { header: ['Seconds', 'p50, ms', 'p95, ms', 'p99, ms'], rows: rows.map(shown) }),
  }
}

const roleOf = (percent: number): Role => (percent <= 50 ? 'p50' : percent <= 95 ? 'p95' : 'p99')

function rate(windows: readonly Counted[], kind: TrafficKind, result: LoadtestResult, time: Time): Drawn {
  const rows = windows.map(
    (window) => [middle(window), rounded(window.ok / window.seconds), rounded(window.failed / window.seconds)] as const,
  )
  const { unit } = TRAFFIC[kind].rate
  // A profile may ask for less than the targets say.
  const target = rateOf(result.scenario, kind, result.runners[0]?.settings.targetPerSecond)
  const chart: TimeChart = {
    ...time,
    kind: 'time',
    id: `${time.group}-rate-${kind}`,
    title: 'Rate over time',
    description: `${unit} that went well and that failed; dashed is the target.`,
    unit,
    lines: [
      { name: 'ok', colour: 'rate', points: rows.map(([at, ok]) => [at, ok] as const) },
      { name: 'failed', colour: 'bad', points: rows.map(([at, , failed]) => [at, failed] as const) },
    ],
    targets: [{ value: target, text: `target ${number(target)}`, colour: 'rate' }],
  }
  return {
    chart,
    figure: chartFigure(chart, { header: ['Seconds', `ok, ${unit}`, `failed, ${unit}`], rows: rows.map(shown) }),
  }
}

export function heat(windows: readonly Latencies[], { id }: Pick<Timed, 'id'>, time: Time): Drawn {
  const cells = windows.flatMap(({ from, to, latency }) => {
    const all = histogramCount(latency)
    return bandsOf(latency, BAND.heat).map(
      ([above, upTo, samples]) => [rounded(from), rounded(to), above, upTo, samples, rounded(samples / all)] as const,
    )
  })
  const chart: PageChart = {
    group: time.group,
    seconds: time.seconds,
    kind: 'heat',
    id: `${time.group}-heat-${id}`,
    title: 'Heat map of latencies',
    description: 'The darker, the more of a window’s samples. A band that splits shows what percentiles hide.',
    cells,
  }
  const header = ['From, s', 'To, s', 'Above, ms', 'Up to, ms', 'Samples']
  return {
    chart,
    figure: chartFigure(chart, { header, rows: cells.slice(0, MOST_ROWS).map((cell) => shown(cell.slice(0, 5))) }),
  }
}

/** A table of all cells of a long run would be most of the page. The file has every bucket. */
const MOST_ROWS = 400

export function distribution(latency: HistogramData, { id, many }: Timed, group: string): Drawn {
  const bars = bandsOf(latency, BAND.bars)
  const chart: PageChart = {
    kind: 'distribution',
    id: `${group}-distribution-${id}`,
    title: 'Distribution of latencies',
    description: `How many of the peak’s ${number(histogramCount(latency))} ${many} took how long.`,
    series: [{ name: 'peak', colour: 'p50', bars }],
  }
  return { chart, figure: chartFigure(chart, { header: ['Above, ms', 'Up to, ms', 'Samples'], rows: bars.map(shown) }) }
}

export function percentiles(latency: HistogramData, { id }: Pick<Timed, 'id'>, targets: Targets, group: string): Drawn {
  const count = histogramCount(latency)
  const points = CURVE.filter((percent) => percent === 0 || count * (1 - percent / 100) >= 1).map(
    (percent) => [percent, roundedOr(percentileMs(latency, percent)) ?? 0] as const,
  )
  const chart: PageChart = {
    kind: 'percentiles',
    id: `${group}-percentiles-${id}`,
    title: 'Latency by percentile',
    description: 'Of the peak, all runners together. A red mark is a target: the line has to pass below it.',
    series: [{ name: 'peak', colour: 'p50', points }],
    targets,
  }
  return { chart, figure: chartFigure(chart, { header: ['Percentile', 'ms'], rows: points.map(shown) }) }
}

/** Neighbouring buckets together: `[above ms, up to ms, samples]`. */
function bandsOf(histogram: HistogramData, size: number): (readonly [number, number, number])[] {
  const bands = new Map<number, number>()
  for (const [index, count] of histogram.counts) {
    const band = Math.floor(index / size)
    bands.set(band, (bands.get(band) ?? 0) + count)
  }
  return [...bands].map(([band, count]) => [
    rounded(bucketUpperMs(band * size - 1, histogram)),
    rounded(bucketUpperMs(band * size + size - 1, histogram)),
    count,
  ])
}

const roundedOr = (ms: number | undefined): number | null => (ms === undefined ? null : rounded(ms))
