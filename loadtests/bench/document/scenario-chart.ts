/** A scenario's chart: latencies over time on a logarithmic scale, and the rate below, each with its target. */

import {
  heading,
  line,
  logScale,
  type Picture,
  type Plot,
  pictureOption,
  roundScale,
  timeAxis,
  valueAxis,
} from '@hopwhistle/platform/document/chart/picture.ts'
import { COLOURS } from '@hopwhistle/platform/document/chart/theme.ts'
import { number } from '@hopwhistle/platform/document/figures.ts'
import type { Metric } from '../evidence/verdict.ts'
import type { ChartData } from './chart-data.ts'

export type ChartOptions = {
  readonly title: string
  /** Profile, date, environment. */
  readonly subtitle: string
  readonly metrics: readonly Metric[]
  readonly data: ChartData
}

const SIZE = { width: 880, height: 430 }
const SIDES = { left: 64, right: 112 }
const LATENCY = { ...SIDES, top: 78, height: 184 }
const RATE = { ...SIDES, top: 304, height: 78 }
const PERCENTILES = [
  { name: 'p50', place: 2 },
  { name: 'p95', place: 3 },
  { name: 'p99', place: 4 },
] as const
/** A logarithm knows no 0. */
const LEAST_MS = 0.1

export function scenarioChart({ title, subtitle, metrics, data }: ChartOptions): Picture {
  const seconds = Math.max(1, data.phases.find(({ name }) => name === 'peak')?.toSeconds ?? 1)
  const unit = metrics.find(({ name }) => name === 'rate')?.unit ?? 'per second'
  const option = pictureOption(SIZE, {
    title,
    subtitle,
    headings: [heading('latency in ms', 20, LATENCY.top - 13), heading(unit, 20, RATE.top - 13)],
    plots: [latencies(data, metrics, seconds), rates(data, metrics, unit, seconds)],
  })
  const legend = [
    ...PERCENTILES.map(({ name }) => ({ name, color: COLOURS[name] })),
    { name: unit, color: COLOURS.rate },
  ]
  return {
    ...SIZE,
    title: `${title}: rate and latency over time`,
    description: `${subtitle}. ${metrics.map(describe).join(', ')}.`,
    option: {
      ...option,
      legend: {
        right: 28,
        top: 18,
        icon: 'rect',
        itemWidth: 18,
        itemHeight: 2,
        itemGap: 12,
        padding: 0,
        data: legend.map(({ name, color }) => ({ name, textStyle: { color, fontSize: 11, fontWeight: 600 } })),
      },
    },
  }
}

const describe = ({ label, measured, unit, comparison, target }: Metric): string =>
  `${label} ${measured === undefined ? 'not measured' : `${number(measured, 1)} ${unit}`} (target ${comparison} ${target} ${unit})`

function latencies({ points, phases }: ChartData, metrics: readonly Metric[], seconds: number): Plot {
  const targets = metrics.flatMap(({ name, unit, target }) =>
    unit === 'ms' ? [targetLine(target, COLOURS[name as 'p95'], `${name} < ${target} ms`)] : [],
  )
  const measured = points.flatMap((point) => PERCENTILES.flatMap(({ place }) => point[place] ?? []))
  const low = Math.max(LEAST_MS, Math.min(...measured, ...targets.map(({ yAxis }) => yAxis)))
  const high = Math.max(...measured, ...targets.map(({ yAxis }) => yAxis * 1.2), low * 10)
  const atLeast = (ms: number | null) => (ms === null ? null : Math.max(LEAST_MS, ms))
  const [first, ...others] = PERCENTILES.map(({ name, place }) =>
    line(
      name,
      COLOURS[name],
      points.map((point) => [point[0], atLeast(point[place])]),
    ),
  )
  return {
    box: LATENCY,
    x: timeAxis(seconds, 8, false),
    y: {
      ...valueAxis((tick) => number(tick, tick < 1 ? 1 : 0)),
      type: 'log',
      ...logScale(low, high),
    },
    series: [{ ...first, markLine: marks(targets), markArea: phaseAreas(phases, true) }, ...others],
  }
}

function rates({ points, phases }: ChartData, metrics: readonly Metric[], unit: string, seconds: number): Plot {
  const target = metrics.find(({ name }) => name === 'rate')?.target ?? 0
  const highest = points.reduce((most, [, rate]) => Math.max(most, rate), 0)
  const rate = line(
    unit,
    COLOURS.rate,
    points.map(([at, value]) => [at, value]),
  )
  return {
    box: RATE,
    x: timeAxis(seconds, 8),
    y: {
      ...valueAxis((tick) => number(tick)),
      type: 'value',
      ...roundScale(Math.max(highest, target * 1.1, 1), 4),
    },
    series: [
      {
        ...rate,
        areaStyle: { color: COLOURS.rate, opacity: 0.14 },
        markLine: marks([targetLine(target, COLOURS.rate, `target ${number(target)}/s`)]),
        markArea: phaseAreas(phases, false),
      },
    ],
  }
}

const targetLine = (yAxis: number, color: string, text: string) => ({
  yAxis,
  lineStyle: { color, type: [5, 4], width: 1.25, opacity: 0.75 },
  label: { formatter: text, color, fontSize: 11, fontWeight: 600 as const, opacity: 1, distance: 8 },
})

const marks = (lines: ReturnType<typeof targetLine>[]) => ({ silent: true, symbol: 'none', data: lines })

/** The ramp is shaded; every phase is named above the latencies. */
function phaseAreas(phases: ChartData['phases'], isNamed: boolean) {
  return {
    silent: true,
    data: phases
      .filter(({ name }) => name !== 'cool')
      .map(({ name, fromSeconds, toSeconds }): [object, object] => [
        {
          name: isNamed ? name : '',
          xAxis: fromSeconds,
          itemStyle: { color: name === 'ramp' ? COLOURS.shade : 'none' },
          label: {
            color: name === 'peak' ? COLOURS.text : COLOURS.quiet,
            fontWeight: name === 'peak' ? 600 : 400,
            fontSize: 11,
            textBorderWidth: 0,
          },
        },
        { xAxis: toSeconds },
      ]),
  }
}
