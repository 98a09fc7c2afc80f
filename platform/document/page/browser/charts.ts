/**
 * Draws the charts of a page in a browser: with zoom, a cursor that all charts of a run share, light or dark, and by
 * keyboard. It is put into the page as it is, without its types: so it imports nothing but types.
 */
import type { CustomSeriesOption, ECharts, EChartsOption, SeriesOption } from 'echarts'
import type { LINES, Role, THEME } from '../../chart/theme.ts'
import type { DistributionChart, HeatChart, PageChart, PercentileChart, TimeChart } from '../page-chart.ts'

declare const echarts: typeof import('echarts')

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
            markLine: {
              silent: true,
              symbol: 'none',
              data: targets.map(({ value, text, colour: role }) => targetLine(text, role, { yAxis: value })),
            },
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

function optionOf(chart: PageChart): EChartsOption {
  if (chart.kind === 'time') return timeOption(chart)
  if (chart.kind === 'heat') return heatOption(chart)
  return chart.kind === 'distribution' ? distributionOption(chart) : percentileOption(chart)
}

const said = document.createElement('p')
said.className = 'unseen'
said.setAttribute('aria-live', 'polite')
document.body.append(said)

/** The cursor of a chart by keyboard. */
function byKeyboard(element: HTMLElement, chart: PageChart, drawn: ECharts): void {
  const rows: readonly (readonly [number, number | null])[] =
    chart.kind === 'time'
      ? (chart.lines[0]?.points ?? [])
      : chart.kind === 'percentiles'
        ? (chart.series[0]?.points ?? [])
        : []
  let at = -1
  const show = (to: number) => {
    if (rows.length === 0) return
    at = Math.max(0, Math.min(rows.length - 1, to))
    drawn.dispatchAction({ type: 'showTip', seriesIndex: 0, dataIndex: at })
    said.textContent = textAt(chart, at)
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
    End: () => show(rows.length - 1),
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

function textAt(chart: PageChart, at: number): string {
  if (chart.kind === 'time') {
    const values = chart.lines.map(({ name, points }) => `${name} ${points[at]?.[1] ?? 'nothing'}`)
    return `${clock(chart.lines[0]?.points[at]?.[0] ?? 0)}: ${values.join(', ')} ${chart.unit}`
  }
  if (chart.kind !== 'percentiles') return ''
  return chart.series.map(({ name, points }) => `${name} p${points[at]?.[0]}: ${points[at]?.[1]} ms`).join(', ')
}

const drawnCharts = charts.flatMap((chart) => {
  const element = document.querySelector<HTMLElement>(`[data-chart="${CSS.escape(chart.id)}"]`)
  if (element === null) return []
  const drawn = echarts.init(element)
  drawn.setOption(optionOf(chart))
  if ('group' in chart) drawn.group = chart.group
  byKeyboard(element, chart, drawn)
  new ResizeObserver(() => drawn.resize()).observe(element)
  return [{ chart, drawn }]
})
for (const group of new Set(charts.flatMap((chart) => ('group' in chart ? [chart.group] : [])))) echarts.connect(group)
dark.addEventListener('change', () => {
  for (const { chart, drawn } of drawnCharts) drawn.setOption(optionOf(chart))
})

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
