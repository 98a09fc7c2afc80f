/** Converts a board to a Grafana dashboard: variables, links to the other boards, rows on 24 columns. */
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { BOARD_UIDS } from '../board-names.ts'
import type { Panel } from '../panels/panel.ts'
import { DATASOURCE, heightOf, toGrafana } from '../panels/to-grafana.ts'
import { testRunning } from '../queries/load-test.ts'
import type { Board } from './board.ts'

const TAG = 'hopwhistle'
const COLUMNS = 24

export function toDashboard(board: Board): Dashboard {
  const builder = new DashboardBuilder(board.title)
    .uid(BOARD_UIDS[board.name])
    .description(board.description)
    .tags([TAG])
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-30m', to: 'now' })
    .refresh('10s')
    .readonly()
    .link(
      new DashboardLinkBuilder('Hopwhistle')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    )
    .annotation(testAnnotation())
  for (const variable of variablesOf(board)) builder.withVariable(variable)

  let id = 0
  let y = 0
  for (const { title, panels } of board.rows) {
    id += 1
    builder.withRow(new RowBuilder(title).id(id).gridPos({ x: 0, y, w: COLUMNS, h: 1 }))
    y += 1
    for (const line of linesOf(panels)) {
      let x = 0
      const h = Math.max(...line.map(heightOf))
      for (const panel of line) {
        id += 1
        const built = toGrafana(panel, id, { x, y, w: panel.width, h })
        builder.withPanel({ build: () => built })
        x += panel.width
      }
      y += h
    }
  }
  return builder.build()
}

/** Breaks panels into lines of at most 24 columns, in their order. */
export function linesOf(panels: readonly Panel[]): readonly (readonly Panel[])[] {
  const all: Panel[][] = []
  let left = 0
  for (const panel of panels) {
    if (panel.width > left) {
      all.push([])
      left = COLUMNS
    }
    all.at(-1)?.push(panel)
    left -= panel.width
  }
  return all
}

function variablesOf({ choosesRun }: Board) {
  const chosen = (name: string, label: string, query: string) =>
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(DATASOURCE)
      .query({ query, refId: name })
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalAsc)
  return [
    new DatasourceVariableBuilder('datasource').label('Source').type('prometheus'),
    chosen('namespace', 'Namespace', `label_values(${METRICS.limit}, namespace)`),
    chosen('release', 'Release', `label_values(${METRICS.limit}{namespace=~"$namespace"}, release)`),
    ...(choosesRun
      ? [
          chosen('run', 'Run', 'label_values(k6_vus, run_id)').sort(VariableSort.AlphabeticalDesc),
          chosen('scenario', 'Scenario', 'label_values(k6_vus{run_id=~"$run"}, loadtest)'),
        ]
      : []),
  ]
}

/** Marks on every board when load tests began and ended, to explain steps in the lines. */
function testAnnotation() {
  return new AnnotationQueryBuilder()
    .name('Load tests')
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor('blue')
    .expr(testRunning)
    .step('5s')
    .titleFormat('{{loadtest}}')
    .textFormat('run {{run_id}}')
    .tagKeys('loadtest')
}
