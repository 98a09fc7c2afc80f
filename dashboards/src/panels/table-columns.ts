/** A table with a row for each value of a label and a column for each query. Two Grafana transformations build it. */
import type { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import type { Panel } from './panel.ts'
import { grafanaUnit } from './units.ts'

/** Grafana calls the column of the query A `Value #A`. */
export function tableColumns(
  builder: TableBuilder,
  { queries, rowLabel = 'instance', columnUnits = {} }: Panel,
): TableBuilder {
  const names = queries.map(
    ({ legend }, i) => [`Value #${String.fromCharCode('A'.charCodeAt(0) + i)}`, legend] as const,
  )
  builder.withTransformation({ id: 'merge', options: {} }).withTransformation({
    id: 'organize',
    options: {
      excludeByName: { Time: true },
      indexByName: Object.fromEntries([rowLabel, ...names.map(([name]) => name)].map((name, i) => [name, i])),
      renameByName: Object.fromEntries(names),
    },
  })
  for (const [, legend] of names) {
    const unit = columnUnits[legend]
    if (unit !== undefined) builder.overrideByName(legend, [{ id: 'unit', value: grafanaUnit(unit) }])
  }
  return builder
}
