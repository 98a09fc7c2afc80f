/** A whole board as a picture, laid out as in Grafana. */
import { type Picture, plotsOption } from '@hopwhistle/platform/document/chart/picture.ts'
import { COLOURS } from '@hopwhistle/platform/document/chart/theme.ts'
import type { Board } from '../boards/board.ts'
import { linesOf } from '../boards/to-dashboard.ts'
import type { Panel } from '../panels/panel.ts'
import type { Course, Series } from './panel-data.ts'
import { panelPart } from './panel-part.ts'
import { FONT_SIZE, join, type Part, rect, text } from './part.ts'
import { tableHeight } from './table-part.ts'

const COLUMN = 50
const MARGIN = 12
const GAP = 6
const HEAD = 52
const ROW_TITLE = 26
const HEIGHTS: Readonly<Record<Panel['kind'], number>> = { lines: 200, figure: 86, bars: 165, table: 250 }
const LEAST_TABLE = 86

const heightOf = ({ kind }: Panel, series: readonly Series[]): number =>
  kind === 'table' ? Math.min(HEIGHTS.table, Math.max(LEAST_TABLE, tableHeight(series))) : HEIGHTS[kind]

export type BoardPictureOptions = {
  readonly board: Board
  /** What was asked, when, and under which load. */
  readonly subtitle: string
  /** The time that every panel shows, and what happened in it. */
  readonly course: Course
  readonly dataOf: (panel: Panel) => readonly Series[]
}

export function boardPicture({ board, subtitle, course, dataOf }: BoardPictureOptions): Picture {
  const width = 24 * COLUMN + 2 * MARGIN
  const parts: Part[] = []
  let y = HEAD
  for (const { title, panels } of board.rows) {
    parts.push({
      graphics: [text(MARGIN + 2, y + 13, title, { size: 12, weight: 600, colour: COLOURS.text })],
      plots: [],
    })
    y += ROW_TITLE
    for (const line of linesOf(panels)) {
      const height = Math.max(...line.map((panel) => heightOf(panel, dataOf(panel))))
      let x = MARGIN
      for (const panel of line) {
        parts.push(panelPart(panel, dataOf(panel), course, { x, y, width: panel.width * COLUMN - GAP, height }))
        x += panel.width * COLUMN
      }
      y += height + GAP
    }
  }
  const height = y + MARGIN
  const { graphics, plots } = join(parts)
  return {
    title: board.title,
    description: `${board.description} ${subtitle}`,
    width,
    height,
    option: {
      textStyle: { fontFamily: 'inherit', fontSize: FONT_SIZE },
      graphic: [
        rect({ x: 0, y: 0, width, height }, { fill: COLOURS.page, r: 8, z: -2 }),
        text(MARGIN + 2, 19, board.title, { size: 17, weight: 600, colour: COLOURS.text }),
        text(MARGIN + 2, 38, subtitle),
        ...graphics,
      ],
      ...plotsOption(plots),
    },
  }
}
