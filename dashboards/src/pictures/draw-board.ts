/** A whole board as SVG, laid out as in Grafana. */
import { element, escapeXml, text } from '@hopwhistle/platform/document/chart/svg.ts'
import type { Board } from '../boards/board.ts'
import { linesOf } from '../boards/to-dashboard.ts'
import type { Panel } from '../panels/panel.ts'
import type { Course } from './draw-lines.ts'
import { drawPanel } from './draw-panel.ts'
import { tableHeight } from './draw-table.ts'
import type { Series } from './panel-data.ts'
import { PICTURE_STYLE } from './picture-style.ts'

const COLUMN = 50
const MARGIN = 12
const GAP = 6
const HEAD = 52
const ROW_TITLE = 26
const HEIGHTS: Readonly<Record<Panel['kind'], number>> = { lines: 200, figure: 86, bars: 165, table: 250 }
const LEAST_TABLE = 86

const heightOf = ({ kind }: Panel, series: readonly Series[]): number =>
  kind === 'table' ? Math.min(HEIGHTS.table, Math.max(LEAST_TABLE, tableHeight(series))) : HEIGHTS[kind]

export type DrawOptions = {
  readonly board: Board
  /** What was asked, when, and under which load. */
  readonly subtitle: string
  /** The time that every panel shows, and what happened in it. */
  readonly course: Course
  readonly dataOf: (panel: Panel) => readonly Series[]
}

export function drawBoard({ board, subtitle, course, dataOf }: DrawOptions): string {
  const width = 24 * COLUMN + 2 * MARGIN
  const parts: string[] = []
  let y = HEAD
  for (const { title, panels } of board.rows) {
    parts.push(text(MARGIN + 2, y + 17, title, { class: 'row' }))
    y += ROW_TITLE
    for (const line of linesOf(panels)) {
      const height = Math.max(...line.map((panel) => heightOf(panel, dataOf(panel))))
      let x = MARGIN
      for (const panel of line) {
        parts.push(drawPanel(panel, dataOf(panel), course, { x, y, width: panel.width * COLUMN - GAP, height }))
        x += panel.width * COLUMN
      }
      y += height + GAP
    }
  }
  const height = y + MARGIN
  const content = [
    element('title', {}, escapeXml(board.title)),
    element('desc', {}, escapeXml(`${board.description} ${subtitle}`)),
    element('style', {}, PICTURE_STYLE),
    element('rect', { width, height, rx: 8, class: 'page' }),
    text(MARGIN + 2, 25, board.title, { class: 'board' }),
    text(MARGIN + 2, 42, subtitle),
    ...parts,
  ]
  const root = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' }
  return `${element('svg', root, `\n${content.join('\n')}\n`)}\n`
}
