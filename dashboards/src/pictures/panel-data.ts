/** What a panel shows, asked of Prometheus as Grafana would. */
import type { Panel } from '../panels/panel.ts'
import { testRunning } from '../queries/load-test.ts'
import type { Query } from '../queries/query.ts'
import { type Answer, askRange, type Span } from './ask-prometheus.ts'

export type Series = {
  readonly name: string
  /** The value of the label that names the row of a table. */
  readonly row: string
  /** Of the queries of the panel. */
  readonly column: number
  readonly points: readonly (readonly [atSeconds: number, value: number])[]
}

/** While a load test ran. */
export type TestRun = { readonly fromSeconds: number; readonly toSeconds: number }

/** What all panels of a board have in common: the time that they show, and when load tests ran. */
export type Course = Required<Span> & { readonly tests: readonly TestRun[] }

export async function testRuns(url: string, span: Span): Promise<readonly TestRun[]> {
  const answer = await askRange(url, testRunning, span)
  return answer.flatMap(({ values }) => {
    const [first, last] = [values[0], values.at(-1)]
    return first === undefined || last === undefined ? [] : [{ fromSeconds: first[0], toSeconds: last[0] }]
  })
}

export const newest = ({ points }: Series): number => points.at(-1)?.[1] ?? Number.NaN
export const highest = ({ points }: Series): number => Math.max(...points.map(([, value]) => value))

export async function panelData(url: string, panel: Panel, span: Span): Promise<readonly Series[]> {
  const answers = await Promise.all(panel.queries.map(({ expr }) => askRange(url, expr, span)))
  return answers.flatMap((answer, column) =>
    answer.map((one) => toSeries(one, panel.queries[column]!, panel.rowLabel ?? '', column)),
  )
}

function toSeries({ metric, values }: Answer[number], { legend }: Query, rowLabel: string, column: number): Series {
  return {
    name: legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? ''),
    row: metric[rowLabel] ?? '',
    column,
    points: values.map(([at, value]) => [at, Number(value)] as const).filter(([, value]) => Number.isFinite(value)),
  }
}
