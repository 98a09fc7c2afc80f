/** Small charts of each metric over the comparable runs, with a mark at each change. */
import {
  heading,
  line,
  type Picture,
  type Plot,
  pictureOption,
  valueAxis,
} from '@hopwhistle/platform/document/chart/picture.ts'
import { COLOURS } from '@hopwhistle/platform/document/chart/theme.ts'
import { figure, plural } from '@hopwhistle/platform/document/figures.ts'
import { day } from '@hopwhistle/platform/document/markdown.ts'
import { levelsText } from './change-text.ts'
import { type Change, changesOf } from './changes.ts'
import { type Comparable, type MetricSeries, seriesOf } from './comparable.ts'
import { historyMetric, scenarioTitle } from './metrics.ts'

/** One run is a point, and no history. */
export const LEAST_FOR_CHART = 2

const WIDTH = 880
const COLUMNS = 3
const TOP = 84
const ROW = 106
const PLOT = { width: 220, height: 58 }
const LEFT = 56
const COLUMN = 280

export function historyChart(environment: string, group: Comparable): Picture {
  const changes = changesOf(group)
  const all = seriesOf(group)
  const size = { width: WIDTH, height: TOP + Math.ceil(all.length / COLUMNS) * ROW }
  const title = scenarioTitle(group.scenario)
  const [first, last] = [group.runs[0], group.runs.at(-1)!]
  const subtitle = `profile ${first.profile} · ${plural(group.runs.length, 'run')}, ${day(first.startedAt)} to ${day(last.startedAt)} · ${environment}`
  const at = (i: number) => ({
    left: LEFT + COLUMN * (i % COLUMNS),
    top: TOP + ROW * Math.floor(i / COLUMNS),
  })
  const said = changes.map((change) => `${historyMetric(change.metric).label} ${levelsText(change)}`)
  return {
    ...size,
    title: `${title}: each metric over time`,
    description: `${subtitle}. ${said.length === 0 ? 'No change' : said.join(', ')}.`,
    option: pictureOption(size, {
      title,
      subtitle,
      headings: all.map(({ metric }, i) => {
        const { label, unit } = historyMetric(metric)
        return heading(`${label}, ${unit}`, at(i).left - 36, at(i).top - 14)
      }),
      plots: all.map((series, i) => plotOf(series, changes, { ...at(i), ...PLOT })),
    }),
  }
}

function plotOf({ metric, points }: MetricSeries, changes: readonly Change[], box: Plot['box']): Plot {
  const values = points.map(({ value }) => value)
  const [low, high] = [Math.min(...values), Math.max(...values)]
  // A level that never moves is a line in the middle.
  const room = high > low ? 0.15 * (high - low) : Math.max(1, Math.abs(high)) * 0.1
  const marks = changes
    .filter((change) => change.metric === metric)
    .map(({ index, verdict }) => ({
      xAxis: index - 0.5,
      lineStyle: { color: verdict === 'worse' ? COLOURS.bad : COLOURS.quiet, type: [4, 3], width: 1.25 },
      label: { show: false },
    }))
  return {
    box,
    x: {
      type: 'value',
      min: 0,
      max: Math.max(1, points.length - 1),
      axisLine: { lineStyle: { color: COLOURS.edge } },
      axisTick: { show: false },
      axisLabel: { show: false },
      splitLine: { show: false },
    },
    y: {
      ...valueAxis(figure, 10),
      type: 'value',
      min: low - room,
      max: high + room,
      axisLabel: { fontSize: 10, color: COLOURS.quiet, formatter: figure, customValues: [low, high] },
      splitLine: { show: false },
    },
    series: [
      {
        ...line(
          metric,
          COLOURS.p50,
          values.map((value, run) => [run, value]),
        ),
        symbol: points.length <= 60 ? 'circle' : 'none',
        symbolSize: 3,
        markLine: { silent: true, symbol: 'none', data: marks },
      },
    ],
  }
}
