/** Converts a panel to Grafana's format. */
import { PanelBuilder as BarsBuilder } from '@grafana/grafana-foundation-sdk/bargauge'
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  BarGaugeDisplayMode,
  BigValueGraphMode,
  type DataSourceRef,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  ScaleDistribution,
  ScaleDistributionConfigBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  type DashboardLink,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel as GrafanaPanel,
  type GridPos,
  type ThresholdsConfig,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as FigureBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as LinesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { runbookLink } from '../runbook-link.ts'
import type { Panel } from './panel.ts'
import { tableColumns } from './table-columns.ts'
import type { Level, Threshold } from './thresholds.ts'
import { grafanaUnit } from './units.ts'

/** A variable of the dashboard, so that the same JSON works in any Grafana. */
export const DATASOURCE: DataSourceRef = { type: 'prometheus', uid: '$' + '{datasource}' }

const COLOURS: Readonly<Record<Level, string>> = { good: 'green', warn: 'orange', bad: 'red' }
const HEIGHTS: Readonly<Record<Panel['kind'], number>> = { lines: 8, figure: 5, bars: 8, table: 10 }

export const heightOf = ({ kind }: Panel): number => HEIGHTS[kind]

export function toGrafana(panel: Panel, id: number, at: GridPos): GrafanaPanel {
  return common(builderOf(panel), panel, id, at).build()
}

type AnyBuilder = LinesBuilder | FigureBuilder | BarsBuilder | TableBuilder

function builderOf(panel: Panel): AnyBuilder {
  switch (panel.kind) {
    case 'lines':
      return linesOf(panel)
    case 'figure':
      return new FigureBuilder().graphMode(BigValueGraphMode.Area).reduceOptions(newest())
    case 'bars':
      return new BarsBuilder()
        .orientation(VizOrientation.Horizontal)
        .displayMode(BarGaugeDisplayMode.Basic)
        .reduceOptions(newest())
    case 'table':
      return tableColumns(new TableBuilder(), panel)
  }
}

const newest = () => new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false)

function linesOf({ stacked, scale, thresholds }: Panel): LinesBuilder {
  const builder = new LinesBuilder()
    .lineWidth(1)
    .fillOpacity(stacked ? 25 : 8)
    .showPoints(VisibilityMode.Never)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .thresholdsStyle(
      new GraphThresholdsStyleConfigBuilder().mode(
        thresholds.length > 1 ? GraphThresholdsStyleMode.Dashed : GraphThresholdsStyleMode.Off,
      ),
    )
  if (stacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
  if (scale === 'log') {
    builder.scaleDistribution(new ScaleDistributionConfigBuilder().type(ScaleDistribution.Log).log(10))
  }
  return builder
}

function common(builder: AnyBuilder, panel: Panel, id: number, at: GridPos): Builder<GrafanaPanel> {
  const { title, description, unit, max, kind, queries, runbook, noValue } = panel
  builder
    .id(id)
    .gridPos(at)
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(grafanaUnit(unit))
    .thresholds(thresholdsOf(panel.thresholds))
    .links(runbook === undefined ? [] : [link(`Runbook: ${runbook}`, runbookLink(runbook))])
  if (unit !== 'none' && kind !== 'table') builder.min(0)
  if (max !== undefined) builder.max(max)
  if (noValue !== undefined) builder.noValue(noValue)
  queries.forEach((asked, i) => {
    const query = new DataqueryBuilder()
      .refId(String.fromCharCode('A'.charCodeAt(0) + i))
      .datasource(DATASOURCE)
      .expr(asked.expr)
      .legendFormat(asked.legend)
    if (asked.instant) query.instant().format(kind === 'table' ? PromQueryFormat.Table : PromQueryFormat.TimeSeries)
    else query.range()
    builder.withTarget(query)
  })
  return builder
}

const thresholdsOf = (thresholds: readonly Threshold[]): Builder<ThresholdsConfig> =>
  new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(thresholds.map(({ from, level }) => ({ value: from ?? null, color: COLOURS[level] })))

const link = (title: string, url: string): Builder<DashboardLink> =>
  new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url).targetBlank(true)
