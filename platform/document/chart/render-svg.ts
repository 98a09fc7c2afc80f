/** Draws a chart of ECharts as an SVG file: the same chart, the same bytes. */
import { BarChart, CustomChart, LineChart } from 'echarts/charts'
import {
  GraphicComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TitleComponent,
} from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { escapeHtml } from '../html.ts'
import type { Picture } from './picture.ts'
import { FONT_SIZE, styleSheet } from './theme.ts'

use([LineChart, BarChart, CustomChart])
use([GridComponent, TitleComponent, LegendComponent, GraphicComponent, MarkLineComponent, MarkAreaComponent])
use(SVGRenderer)

/**
 * @returns a whole SVG document, for light and dark, with a title and a description for those who cannot see it
 * @example writeFileSync('rates.svg', renderSvg({ title: 'Rates', description: '500/s', width: 880, height: 430, option }))
 */
export function renderSvg({ title, description, width, height, option }: Picture): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  try {
    chart.setOption({ ...option, animation: false })
    const [, content = ''] = /^<svg[^>]*>(.*)<\/svg>$/s.exec(chart.renderToSVGString()) ?? []
    const fontSize = Number(option.textStyle?.fontSize ?? FONT_SIZE)
    const elements = asFile(content, fontSize)
    const head = [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
      `<title>${escapeHtml(title)}</title>`,
      `<desc>${escapeHtml(description)}</desc>`,
      `<style>${styleSheet(elements, fontSize)}</style>`,
    ]
    return `${head.join('\n')}${elements}</svg>\n`
  } finally {
    chart.dispose()
  }
}

/**
 * Without what serves a page only: what reacts to a pointer, ids that count the charts of a process, and the clips of
 * lines that are drawn bit by bit.
 */
function asFile(content: string, fontSize: number): string {
  return content
    .replaceAll(/<style.*?<\/style>\n?/gs, '')
    .replaceAll(/ (class="zr\d+-[^"]*"|ecmeta_\w+="[^"]*"|pointer-events="\w+"|xml:space="preserve")/g, '')
    .replaceAll('font-family:inherit;', '')
    .replaceAll(` style="font-size:${fontSize}px;"`, '')
    .replaceAll(/<g clip-path="[^"]*">\n(.*?)<\/g>\n/gs, '$1')
    .replaceAll(/<defs *>.*?<\/defs>\n/gs, '')
    .replaceAll(/\bzr\d+-/g, '')
    .replaceAll(/<\w+[^>]* fill(="none"|-opacity="0")( stroke="[^"]*" stroke-width="0")?><\/\w+>\n/g, '')
    .replaceAll(/><\/(path|rect|polygon|polyline|line|circle)>/g, '/>')
    .replaceAll(/ (d|points|transform)="[^"]*"/g, rounded)
}

/** Rounded to a tenth of a pixel: more is not visible, and diffs stay short. */
const rounded = (attribute: string): string =>
  attribute.replaceAll(/-?\d+\.\d+/g, (digits) => String(Math.round(10 * Number(digits)) / 10))
