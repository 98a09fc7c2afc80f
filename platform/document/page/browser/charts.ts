/**
 * Draws the charts of a page in a browser: with zoom, a cursor that all charts of a run share, light or dark, and by
 * keyboard. It is put into the page as it is, without its types: so it imports nothing but types.
 */
import type * as Echarts from 'echarts'
import type { CustomSeriesOption, ECharts, EChartsOption, SeriesOption } from 'echarts'
import type { LINES, Role, THEME } from '../../chart/theme.ts'
import type {
  DistributionChart,
  HeatChart,
  IntervalChart,
  PageChart,
  PercentileChart,
  TimeChart,
  XyChart,
} from '../page-chart.ts'

declare const echarts: typeof Echarts

type Data = { readonly theme: typeof THEME; readonly lines: typeof LINES; readonly charts: readonly PageChart[] }

const read = <T>(id: string): T => JSON.parse(document.getElementById(id)?.textContent ?? 'null') as T
const { theme, lines, charts } = read<Data>('charts')
const dark = matchMedia('(prefers-color-scheme: dark)')
document.documentElement.classList.add('has-script')

const place = () => (dark.matches ? 1 : 0)
const colour = (role: Role): string => theme[role][place()]
const lineColour = (role: Role | undefined, i: number): string =>
  role === undefined ? (lines[i % lines.length] as readonly [string, string])[place()] : colour(role)

const clock = (seconds: number): string => {
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
const UNITS = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const
function short(value: number): string {
  const [size, letter] = UNITS.find(([least]) => Math.abs(value) >= least * 10) ?? [1, '']
  return `${Number((value / size).toPrecision(3)).toLocaleString('en')}${letter}`
}
/** A percentile and a latency have more of their figures shown. */
const precise = (value: number): string =>
  Number(value.toPrecision(4)).toLocaleString('en', { maximumFractionDigits: 4 })

const tooltip = () => ({
  trigger: 'axis' as const,
  confine: true,
  backgroundColor: colour('card'),
  borderColor: colour('edge'),
  textStyle: { color: colour('text'), fontSize: 12 },
})

function looks(): EChartsOption {
  return {
    animation: false,
    textStyle: { fontFamily: 'inherit', color: colour('quiet') },
    grid: { left: 56, right: 16, top: 52, bottom: 40 },
    legend: {
      type: 'scroll',
      top: 0,
      padding: 7,
      left: 0,
      right: 0,
      itemWidth: 16,
      itemHeight: 8,
      textStyle: { color: colour('text') },
    },
    tooltip: tooltip(),
  }
}

const axis = () => ({
  axisLine: { lineStyle: { color: colour('edge') } },
  axisLabel: { color: colour('quiet'), hideOverlap: true },
  nameTextStyle: { color: colour('quiet') },
  splitLine: { lineStyle: { color: colour('grid') } },
})

const zoom = () => [
  { type: 'inside' as const, zoomOnMouseWheel: 'ctrl' as const, moveOnMouseWheel: false, moveOnMouseMove: true },
  {
    type: 'slider' as const,
    height: 14,
    bottom: 2,
    showDetail: false,
    brushSelect: false,
    borderColor: colour('edge'),
  },
]

const timeAxis = (seconds: number) => ({
  ...axis(),
  type: 'value' as const,
  min: 0,
  max: seconds,
  axisLabel: { ...axis().axisLabel, formatter: clock },
  axisPointer: { snap: true, label: { formatter: ({ value }: { value: unknown }) => clock(Number(value)) } },
})

const targetLine = (text: string, role: Role, at: { xAxis: number } | { yAxis: number }) => ({
  ...at,
  lineStyle: { color: colour(role), type: 'dashed' as const },
  label: { formatter: text, color: colour(role), position: 'insideEndTop' as const },
})

/** A line across, for each of them. */
const targetLines = (targets: NonNullable<TimeChart['targets']>) => ({
  silent: true,
  symbol: 'none',
  data: targets.map(({ value, text, colour: role }) => targetLine(text, role, { yAxis: value })),
})

function timeOption({ unit, seconds, phases, log, stacked, lines: shown, targets = [] }: TimeChart): EChartsOption {
  const ramp = phases.find(({ name }) => name === 'ramp')
  const series = shown.map(
    ({ name, colour: role, points }, i): SeriesOption => ({
      type: 'line',
      name,
      data: points as [number, number | null][],
      symbol: 'none',
      lineStyle: { width: stacked ? 1 : 1.75, color: lineColour(role, i) },
      itemStyle: { color: lineColour(role, i) },
      ...(stacked ? { stack: 'all', areaStyle: { opacity: 0.5 } } : {}),
      ...(i > 0
        ? {}
        : {
            markLine: targetLines(targets),
            markArea: {
              silent: true,
              itemStyle: { color: colour('shade') },
              label: { color: colour('quiet') },
              data: ramp === undefined ? [] : [[{ name: 'ramp', xAxis: ramp.fromSeconds }, { xAxis: ramp.toSeconds }]],
            },
          }),
    }),
  )
  return {
    ...looks(),
    xAxis: timeAxis(seconds),
    yAxis: { ...axis(), type: log ? 'log' : 'value', name: unit, axisLabel: { ...axis().axisLabel, formatter: short } },
    dataZoom: zoom(),
    series,
    tooltip: {
      ...tooltip(),
      valueFormatter: (value) => (typeof value === 'number' ? `${precise(value)} ${unit}` : '–'),
    },
  }
}

function heatOption({ seconds, cells }: HeatChart): EChartsOption {
  const renderItem: NonNullable<CustomSeriesOption['renderItem']> = (_, api) => {
    const [from, to, above, upTo, , part] = [0, 1, 2, 3, 4, 5].map((i) => Number(api.value(i)))
    const [left = 0, bottom = 0] = api.coord([from as number, above as number])
    const [right = 0, top = 0] = api.coord([to as number, upTo as number])
    return {
      type: 'rect',
      // A pixel more, so that no line shows between neighbours.
      shape: { x: left, y: top, width: right - left + 0.5, height: bottom - top + 0.5 },
      style: { fill: colour('p50'), opacity: Math.max(0.06, Math.sqrt(part as number)) },
    }
  }
  const lowest = Math.min(...cells.map(([, , above]) => above))
  const highest = Math.max(...cells.map(([, , , upTo]) => upTo))
  return {
    ...looks(),
    xAxis: timeAxis(seconds),
    yAxis: {
      ...axis(),
      type: 'log',
      min: lowest,
      max: highest,
      name: 'ms',
      axisLabel: { ...axis().axisLabel, formatter: short },
    },
    dataZoom: zoom(),
    tooltip: {
      ...tooltip(),
      trigger: 'item',
      formatter: (params) => {
        const [from = 0, to = 0, above = 0, upTo = 0, samples = 0, part = 0] = (params as { value: number[] }).value
        return `${clock(from)} to ${clock(to)}<br>${precise(above)} to ${precise(upTo)} ms: ${precise(samples)} (${precise(100 * part)} %)`
      },
    },
    series: [
      {
        type: 'custom',
        name: 'samples',
        renderItem,
        clip: true,
        encode: { x: [0, 1], y: [2, 3] },
        data: cells as unknown as number[][],
      },
    ],
  }
}

function distributionOption({ series }: DistributionChart): EChartsOption {
  const bars = series.flatMap((one) => one.bars)
  const renderItem =
    (fill: string): NonNullable<CustomSeriesOption['renderItem']> =>
    (_, api) => {
      const [left = 0, bottom = 0] = api.coord([api.value(0), 0])
      const [right = 0, top = 0] = api.coord([api.value(1), api.value(2)])
      return {
        type: 'rect',
        shape: { x: left, y: top, width: Math.max(1, right - left - 0.5), height: bottom - top },
        style: { fill, opacity: 0.65 },
      }
    }
  return {
    ...looks(),
    xAxis: {
      ...axis(),
      type: 'log',
      min: Math.min(...bars.map(([above]) => above)),
      max: Math.max(...bars.map(([, upTo]) => upTo)),
      name: 'ms',
      nameLocation: 'middle',
      nameGap: 24,
      axisLabel: { ...axis().axisLabel, formatter: short },
    },
    yAxis: { ...axis(), type: 'value', name: 'samples', axisLabel: { ...axis().axisLabel, formatter: short } },
    tooltip: {
      ...tooltip(),
      trigger: 'item',
      formatter: (params) => {
        const [above = 0, upTo = 0, samples = 0] = (params as { value: number[] }).value
        return `${precise(above)} to ${precise(upTo)} ms: ${precise(samples)}`
      },
    },
    series: series.map(({ name, colour: role, bars }, i) => ({
      type: 'custom',
      name,
      itemStyle: { color: lineColour(role, i) },
      renderItem: renderItem(lineColour(role, i)),
      encode: { x: [0, 1], y: 2 },
      data: bars as unknown as number[][],
    })),
  }
}

/** 50, 90, 99, 99.9 … are at equal distances: how many samples are above, as a power of ten. */
const nines = (percentile: number): number => -Math.log10(1 - percentile / 100)
const ofNines = (at: number): string => `p${Number((100 * (1 - 10 ** -at)).toPrecision(6))}`

function percentileOption({ series, targets = [] }: PercentileChart): EChartsOption {
  return {
    ...looks(),
    xAxis: { ...axis(), type: 'value', min: 0, axisLabel: { ...axis().axisLabel, formatter: ofNines } },
    yAxis: { ...axis(), type: 'log', name: 'ms', axisLabel: { ...axis().axisLabel, formatter: short } },
    tooltip: {
      ...tooltip(),
      formatter: (params) => {
        const shown = params as unknown as { seriesName: string; value: [number, number] }[]
        const [first] = shown
        const rows = shown.map(({ seriesName, value }) => `${seriesName}: ${precise(value[1])} ms`)
        return [ofNines(first?.value[0] ?? 0), ...rows].join('<br>')
      },
    },
    series: series.map(({ name, colour: role, points }, i) => ({
      type: 'line',
      name,
      symbol: 'none',
      itemStyle: { color: lineColour(role, i) },
      lineStyle: { width: 1.75, color: lineColour(role, i) },
      data: points.map(([percentile, ms]) => [nines(percentile), ms]),
      ...(i > 0
        ? {}
        : {
            markPoint: {
              symbol: 'triangle',
              symbolRotate: 180,
              symbolSize: 9,
              symbolOffset: [0, -5],
              itemStyle: { color: colour('bad') },
              label: { show: true, position: 'top' as const, color: colour('quiet'), formatter: '{b}' },
              data: targets.map(({ percentile, ms }) => ({
                name: `< ${short(ms)} ms`,
                coord: [nines(percentile), ms],
              })),
            },
          }),
    })),
  }
}

function xyOption({ x, unit, log, series: shown, targets = [] }: XyChart): EChartsOption {
  const series = shown.map(({ name, colour: role, mark, points }, i): SeriesOption => {
    const color = lineColour(role, i)
    const common = {
      name,
      data: points as [number, number | null][],
      itemStyle: { color },
      ...(i > 0
        ? {}
        : {
            markLine: targetLines(targets),
          }),
    }
    if (mark === 'dots' || mark === 'circles') {
      return { ...common, type: 'scatter', symbol: mark === 'dots' ? 'circle' : 'emptyCircle', symbolSize: 6 }
    }
    const type = mark === 'dashes' ? ('dashed' as const) : ('solid' as const)
    return { ...common, type: 'line', symbol: 'none', lineStyle: { width: 1.75, color, type } }
  })
  return {
    ...looks(),
    grid: { left: 56, right: 16, top: 52, bottom: 64 },
    xAxis: {
      ...axis(),
      type: 'value',
      min: x.min,
      max: x.max,
      ...(x.whole ? { minInterval: 1 } : {}),
      name: x.name,
      nameLocation: 'middle',
      nameGap: 26,
      axisLabel: {
        ...axis().axisLabel,
        formatter: (value: number) => (x.whole && !Number.isInteger(value) ? '' : short(value)),
      },
    },
    yAxis: { ...axis(), type: log ? 'log' : 'value', name: unit, axisLabel: { ...axis().axisLabel, formatter: short } },
    dataZoom: zoom(),
    series,
    tooltip: {
      ...tooltip(),
      valueFormatter: (value) => {
        const y = Array.isArray(value) ? value[1] : value
        return typeof y === 'number' ? `${precise(y)} ${unit}` : '–'
      },
    },
  }
}

/** How far below the middle of its row an interval is drawn: the row's name is above it. */
const BELOW = 9

/** Left and right of a picture of intervals, in pixels. */
const SIDE = 12

/** @param width of the picture: names that are longer are cut */
function intervalOption({ unit, min, max, margin, names, rows }: IntervalChart, width: number): EChartsOption {
  const inside = (value: number): number => Math.max(min, Math.min(max, value))
  const renderItem: NonNullable<CustomSeriesOption['renderItem']> = (_, api) => {
    const i = Number(api.value(1))
    const row = rows[i]
    if (row === undefined) return
    const xOf = (value: number): number => api.coord([inside(value), i])[0] ?? 0
    const y = (api.coord([0, i])[1] ?? 0) + BELOW
    const [left, right] = [xOf(row.low ?? min), xOf(row.high ?? max)]
    const style = { stroke: colour(row.colour), lineWidth: 2 }
    // An end that is drawn is one that is known, and is in the picture.
    const ends = [
      ...(row.low === null || row.low < min ? [] : [left]),
      ...(row.high === null || row.high > max ? [] : [right]),
    ]
    const middle = row.value === null ? undefined : xOf(row.value)
    return {
      type: 'group',
      children: [
        { type: 'line', shape: { x1: left, y1: y, x2: right, y2: y }, style },
        ...ends.map((x) => ({ type: 'line' as const, shape: { x1: x, y1: y - 4, x2: x, y2: y + 4 }, style })),
        ...(middle === undefined
          ? []
          : [
              {
                type: 'rect' as const,
                shape: { x: middle - 3, y: y - 5, width: 6, height: 10 },
                style: { fill: colour(row.colour) },
              },
            ]),
      ],
    }
  }
  return {
    ...looks(),
    grid: { left: SIDE, right: SIDE, top: 40, bottom: 40, outerBoundsMode: 'none' },
    xAxis: {
      ...axis(),
      type: 'value',
      min,
      max,
      name: unit,
      nameLocation: 'middle',
      nameGap: 24,
      axisLabel: { ...axis().axisLabel, formatter: short, showMinLabel: false, showMaxLabel: false },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: rows.map(({ name, answer }) => `${name} — ${answer}`),
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { show: true, lineStyle: { color: colour('grid') } },
      z: 5,
      axisLabel: {
        inside: true,
        interval: 0,
        margin: 4,
        verticalAlign: 'bottom',
        color: colour('text'),
        fontSize: 11,
        width: width - 3 * SIDE,
        overflow: 'truncate',
      },
    },
    tooltip: {
      ...tooltip(),
      trigger: 'item',
      formatter: (params) => {
        const { seriesIndex } = params as { seriesIndex?: number }
        const { value } = params as { value: number[] }
        const [x = 0, i = 0] = value
        const row = rows[i]
        if (row === undefined) return ''
        if (seriesIndex === 1) return `${names.points}: ${precise(x)} ${unit}`
        return echarts.format.encodeHTML(intervalText(row, unit))
      },
    },
    series: [
      {
        type: 'custom',
        name: names.interval,
        renderItem,
        itemStyle: { color: colour('quiet') },
        data: rows.map(({ value }, i) => [inside(value ?? 0), i]),
        markArea: {
          silent: true,
          itemStyle: { color: colour('shade') },
          data: [[{ xAxis: Math.max(min, -margin) }, { xAxis: Math.min(max, margin) }]],
        },
        markLine: {
          silent: true,
          symbol: 'none',
          label: { show: false },
          lineStyle: { color: colour('quiet'), type: 'solid', width: 1 },
          data: [{ xAxis: 0 }],
        },
      },
      {
        type: 'scatter',
        name: names.points,
        symbolSize: 5,
        symbolOffset: [0, BELOW],
        itemStyle: { color: colour('quiet'), opacity: 0.45 },
        data: rows.flatMap(({ points }, i) => points.map((value) => [inside(value), i])),
      },
    ],
  }
}

const withSign = (value: number): string => `${value > 0 ? '+' : ''}${precise(value)}`

function intervalText({ name, answer, value, low, high }: IntervalChart['rows'][number], unit: string): string {
  const range = `${low === null ? '−∞' : withSign(low)} to ${high === null ? '+∞' : withSign(high)} ${unit}`
  return `${name}: ${value === null ? 'no value' : `${withSign(value)} ${unit}`} (${range}), ${answer}`
}

function optionOf(chart: PageChart, width: number): EChartsOption {
  switch (chart.kind) {
    case 'time':
      return timeOption(chart)
    case 'heat':
      return heatOption(chart)
    case 'distribution':
      return distributionOption(chart)
    case 'percentiles':
      return percentileOption(chart)
    case 'xy':
      return xyOption(chart)
    case 'intervals':
      return intervalOption(chart, width)
  }
}

const said = document.createElement('p')
said.className = 'unseen'
said.setAttribute('aria-live', 'polite')
document.body.append(said)

/** The cursor of a chart by keyboard. */
function byKeyboard(element: HTMLElement, chart: PageChart, drawn: ECharts): void {
  const places = placesOf(chart)
  let at = -1
  const show = (to: number) => {
    at = Math.max(0, Math.min(places.length - 1, to))
    const there = places[at]
    if (there === undefined) return
    drawn.dispatchAction({ type: 'showTip', seriesIndex: there.series, dataIndex: there.index })
    said.textContent = there.text
  }
  const zoomBy = (factor: number) => {
    const [given] = (drawn.getOption().dataZoom ?? []) as { start: number; end: number }[]
    if (given === undefined) return
    const middle = (given.start + given.end) / 2
    const half = Math.min(50, ((given.end - given.start) / 2) * factor)
    drawn.dispatchAction({ type: 'dataZoom', start: Math.max(0, middle - half), end: Math.min(100, middle + half) })
  }
  const keys: Readonly<Record<string, () => void>> = {
    ArrowRight: () => show(at + 1),
    ArrowLeft: () => show(at - 1),
    Home: () => show(0),
    End: () => show(places.length - 1),
    '+': () => zoomBy(0.5),
    '-': () => zoomBy(2),
    '0': () => drawn.dispatchAction({ type: 'dataZoom', start: 0, end: 100 }),
    Escape: () => drawn.dispatchAction({ type: 'hideTip' }),
  }
  element.addEventListener('keydown', (event) => {
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key]
    if (action === undefined) return
    event.preventDefault()
    action()
  })
}

/** Where the cursor of a chart may stand: which point that is, and what is said of it. */
type Place = { readonly series: number; readonly index: number; readonly text: string }

function placesOf(chart: PageChart): readonly Place[] {
  switch (chart.kind) {
    case 'time':
      return (chart.lines[0]?.points ?? []).map(([seconds], index) => {
        const values = chart.lines.map(({ name, points }) => `${name} ${points[index]?.[1] ?? 'nothing'}`)
        return { series: 0, index, text: `${clock(seconds)}: ${values.join(', ')} ${chart.unit}` }
      })
    case 'percentiles':
      return (chart.series[0]?.points ?? []).map((_, index) => {
        const values = chart.series.map(
          ({ name, points }) => `${name} p${points[index]?.[0]}: ${points[index]?.[1]} ms`,
        )
        return { series: 0, index, text: values.join(', ') }
      })
    case 'xy':
      return xyPlaces(chart)
    case 'intervals':
      return chart.rows.map((row, index) => ({ series: 0, index, text: intervalText(row, chart.unit) }))
    default:
      return []
  }
}

/** One for each x, from the left to the right, with the values of all series that have one there. */
function xyPlaces({ x, unit, series }: XyChart): readonly Place[] {
  const all = series.flatMap(({ name, points }, i) =>
    points.flatMap(([at, value], index) => (value === null ? [] : [{ series: i, index, at, name, value }])),
  )
  return [...Map.groupBy(all, ({ at }) => at)]
    .sort(([a], [b]) => a - b)
    .flatMap(([at, there]) => {
      const [first] = there
      if (first === undefined) return []
      const values = there.map(({ name, value }) => `${name} ${precise(value)}`)
      return [
        { series: first.series, index: first.index, text: `${x.name} ${precise(at)}: ${values.join(', ')} ${unit}` },
      ]
    })
}

const groupOf = (chart: PageChart): string | undefined => ('group' in chart ? chart.group : undefined)

for (const chart of charts) {
  const element = document.querySelector<HTMLElement>(`[data-chart="${CSS.escape(chart.id)}"]`)
  if (element === null) continue
  const drawn = echarts.init(element)
  const show = () => drawn.setOption(optionOf(chart, drawn.getWidth()))
  show()
  const group = groupOf(chart)
  if (group !== undefined) drawn.group = group
  byKeyboard(element, chart, drawn)
  new ResizeObserver(() => {
    drawn.resize()
    if (chart.kind === 'intervals') show()
  }).observe(element)
  dark.addEventListener('change', show)
}
for (const group of new Set(charts.flatMap((chart) => groupOf(chart) ?? []))) echarts.connect(group)

/** Files are packed, so that the page stays small. */
const packed = read<Readonly<Record<string, string>>>('downloads')
for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-download]')) {
  button.addEventListener('click', async () => {
    const name = button.dataset.download ?? ''
    const bytes = Uint8Array.from(atob(packed[name] ?? ''), (letter) => letter.charCodeAt(0))
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
    const url = URL.createObjectURL(await new Response(plain).blob())
    Object.assign(document.createElement('a'), { href: url, download: name }).click()
    setTimeout(() => URL.revokeObjectURL(url), 10_000)
  })
}
