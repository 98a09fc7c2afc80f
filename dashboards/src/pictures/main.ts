/**
 * Draws each board from what Prometheus knows of the last minutes: `npm run dashboards:pictures`. These are no
 * screenshots of Grafana: the same queries, units and thresholds, drawn by us.
 *
 * Ends with 0, or with 2 when Prometheus does not answer or the arguments are wrong.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { renderSvg } from '@hopwhistle/platform/document/chart/render-svg.ts'
import { BOARDS } from '../boards/boards.ts'
import type { Panel } from '../panels/panel.ts'
import { boardPicture } from './board-picture.ts'
import { panelData, type Series, testRuns } from './panel-data.ts'

const HELP = `Usage: npm run dashboards:pictures -- --prometheus URL [--minutes N] [--until TIME] [--note TEXT]

Draws each board as docs/boards/NAME.svg from what that Prometheus has of N minutes (10 if not given).

  --until TIME   the last of them, as 2026-11-25T03:40:00Z; now if not given
  --note TEXT    what the platform was doing, for the line below the title
`

const FOLDER = fileURLToPath(new URL('../../../docs/boards/', import.meta.url))
const POINTS = 110

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        prometheus: { type: 'string' },
        minutes: { type: 'string', default: '10' },
        until: { type: 'string' },
        note: { type: 'string', default: '' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(HELP)
      return 0
    }
    if (values.prometheus === undefined) throw new Error(`--prometheus is missing\n\n${HELP}`)
    const minutes = Number(values.minutes)
    if (!(minutes > 0)) throw new Error(`--minutes is "${values.minutes}"; it must be a number above 0\n\n${HELP}`)
    const until = values.until === undefined ? Date.now() : Date.parse(values.until)
    if (Number.isNaN(until)) throw new Error(`--until is "${values.until}"; it must be a time\n\n${HELP}`)
    const written = await drawAll(values.prometheus, until / 1000, minutes, values.note)
    process.stdout.write(`Drew ${written.join(', ')} in docs/boards.\n`)
    return 0
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    return 2
  }
}

async function drawAll(url: string, toSeconds: number, minutes: number, note: string): Promise<readonly string[]> {
  const span = { fromSeconds: toSeconds - minutes * 60, toSeconds, stepSeconds: Math.max(5, (minutes * 60) / POINTS) }
  const day = new Date(toSeconds * 1000).toISOString().slice(0, 10)
  const subtitle = `${day} · ${minutes} minutes${note === '' ? '' : ` · ${note}`}`
  const course = { ...span, tests: await testRuns(url, span) }
  mkdirSync(FOLDER, { recursive: true })
  return Promise.all(
    BOARDS.map(async (board) => {
      const panels = board.rows.flatMap((row) => row.panels)
      const answers = await Promise.all(panels.map((panel) => panelData(url, panel, span)))
      const data = new Map<Panel, readonly Series[]>(panels.map((panel, i) => [panel, answers[i] ?? []]))
      writeFileSync(
        join(FOLDER, `${board.name}.svg`),
        renderSvg(boardPicture({ board, subtitle, course, dataOf: (panel) => data.get(panel) ?? [] })),
      )
      return board.name
    }),
  )
}
