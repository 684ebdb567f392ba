import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge'
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  BarGaugeDisplayMode,
  BigValueGraphMode,
  HeatmapCellLayout,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder
} from '@grafana/grafana-foundation-sdk/common'
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel as GrafanaPanel,
  type GridPos,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort
} from '@grafana/grafana-foundation-sdk/dashboard'
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import * as stat from '@grafana/grafana-foundation-sdk/stat'
import * as table from '@grafana/grafana-foundation-sdk/table'
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries'
import { type Board, type Panel, UNITS } from './panel.ts'

/** Whatever Prometheus the reader chooses: never a uid that exists on one server only. */
const SOURCE = { type: 'prometheus', uid: '${datasource}' }
const HEIGHTS = { lines: 8, heatmap: 8, bars: 8, stat: 4, table: 4 } as const

/**
 * One dashboard as Grafana provisions it.
 *
 * @param others - All dashboards, for the links between them
 * @returns the file's text, the same for the same boards
 */
export function renderDashboard(board: Board, others: readonly Board[]): string {
  const builder = new DashboardBuilder(board.title)
    .uid(board.uid)
    .description(board.description)
    .tags(['hearth'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .version(1)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
  if (board.perFunction) builder.withVariable(functionVariable())
  for (const other of others) {
    if (other !== board) builder.link(linkTo(other))
  }

  let id = 0
  let y = 0
  for (const row of board.rows) {
    builder.withRow(new RowBuilder(row.title).id(++id).gridPos({ x: 0, y, w: 24, h: 1 }))
    y += 1
    let x = 0
    let lineHeight = 0
    for (const panel of row.panels) {
      if (x + panel.width > 24) {
        y += lineHeight
        x = 0
        lineHeight = 0
      }
      const height = HEIGHTS[panel.kind]
      builder.withPanel(toGrafana(panel, ++id, { x, y, w: panel.width, h: height }, board))
      x += panel.width
      lineHeight = Math.max(lineHeight, height)
    }
    y += lineHeight
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`
}

function functionVariable(): QueryVariableBuilder {
  return new QueryVariableBuilder('function')
    .label('Function')
    .datasource(SOURCE)
    .query({ query: 'label_values(hearth_function_info, function)', refId: 'function' })
    .definition('label_values(hearth_function_info, function)')
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ selected: true, text: ['All'], value: ['$__all'] })
}

function linkTo(board: Board): DashboardLinkBuilder {
  return new DashboardLinkBuilder(board.title)
    .type(DashboardLinkType.Link)
    .url(`/d/${board.uid}`)
    .icon('dashboard')
    .tooltip(board.description)
    .keepTime(true)
    .includeVars(true)
}

function toGrafana(panel: Panel, id: number, at: GridPos, board: Board): Builder<GrafanaPanel> {
  const builder = visualization(panel)
    .id(id)
    .title(panel.title)
    .description(`${panel.shows}\n\n${panel.act}`)
    .datasource(SOURCE)
    .gridPos(at)
    .unit(UNITS[panel.unit].grafana)
    .min(0)
  panel.queries.forEach((query, i) => {
    const target = new DataqueryBuilder()
      .refId(String.fromCharCode(65 + i))
      .datasource(SOURCE)
      .expr(query.expr)
      .legendFormat(query.legend)
    if (panel.kind === 'table') target.instant().format(PromQueryFormat.Table)
    else if (panel.kind === 'bars') target.instant()
    else target.range()
    if (panel.kind === 'heatmap') target.format(PromQueryFormat.Heatmap)
    builder.withTarget(target)
  })
  // Rankings lead to the function that is asked about.
  if (panel.kind === 'bars' && !board.perFunction) {
    builder.dataLinks([
      new DashboardLinkBuilder('Open function').url(
        '/d/hearth-function?var-function=${__field.labels.function}&${datasource:queryparam}&${__url_time_range}'
      )
    ])
  }
  return builder
}

type AnyPanel =
  | timeseries.PanelBuilder
  | stat.PanelBuilder
  | heatmap.PanelBuilder
  | bargauge.PanelBuilder
  | table.PanelBuilder

function visualization(panel: Panel): AnyPanel {
  switch (panel.kind) {
    case 'lines':
      return new timeseries.PanelBuilder()
        .lineWidth(1)
        .fillOpacity(10)
        .showPoints(VisibilityMode.Never)
        .legend(
          new VizLegendOptionsBuilder()
            .showLegend(true)
            .displayMode(LegendDisplayMode.List)
            .placement(LegendPlacement.Bottom)
            .calcs(['lastNotNull', 'max'])
        )
        .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    case 'stat':
      return new stat.PanelBuilder()
        .graphMode(BigValueGraphMode.Area)
        .reduceOptions(lastValue())
        .thresholds(thresholds(panel))
    case 'heatmap':
      return new heatmap.PanelBuilder()
        .cellGap(1)
        .rowsFrame(new heatmap.RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Auto))
    case 'bars':
      return new bargauge.PanelBuilder()
        .displayMode(BarGaugeDisplayMode.Basic)
        .orientation(VizOrientation.Horizontal)
        .reduceOptions(lastValue())
    case 'table':
      return new table.PanelBuilder().withTransformation({
        id: 'organize',
        options: { excludeByName: { Time: true, Value: true, __name__: true, job: true, instance: true } }
      })
  }
}

function lastValue(): ReduceDataOptionsBuilder {
  return new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false)
}

function thresholds({ limits }: Panel): ThresholdsConfigBuilder {
  const steps: { value: number | null; color: string }[] = [{ value: null, color: 'green' }]
  if (limits !== undefined) {
    steps.push({ value: limits.warning, color: 'yellow' }, { value: limits.critical, color: 'red' })
  }
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps)
}
