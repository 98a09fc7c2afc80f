/** What a script is to reach, in k6's own words: `p(95)<300` of `http_req_duration{name:login}`. */
export type Target = {
  /** The metric, with the tags that are asked for. */
  readonly metric: string
  /** `p(95)`, `rate`, `count`, … */
  readonly aggregate: string
  readonly comparison: '<' | '<=' | '>' | '>=' | '==' | '!='
  readonly value: number
  /** `script`: a threshold of the script itself. */
  readonly from: 'targets' | 'script'
}

const EXPRESSION =
  /^\s*(p\(\s*\d{1,2}(?:\.\d+)?\s*\)|avg|min|max|med|count|rate|value)\s*(<=|>=|<|>|===?|!=)\s*(-?\d+(?:\.\d+)?)\s*$/

/** @returns undefined when it is no such expression */
export function parseExpression(metric: string, expression: string, from: Target['from']): Target | undefined {
  const [, aggregate = '', comparison, value] = EXPRESSION.exec(expression) ?? []
  if (comparison === undefined) return undefined
  return {
    metric: metric.replace(/\s+/g, ''),
    // `p(99.90)` is called `p(99.9)` by k6.
    aggregate: aggregate.replace(/^p\(\s*([\d.]+)\s*\)$/, (_, percent) => `p(${Number(percent)})`),
    comparison: (comparison === '===' ? '==' : comparison) as Target['comparison'],
    value: Number(value),
    from,
  }
}

export const expressionOf = ({ aggregate, comparison, value }: Omit<Target, 'from' | 'metric'>): string =>
  `${aggregate}${comparison}${value}`

/** The percentile that is asked for, the median included; undefined of anything else. */
export function percentileIn({ aggregate }: Pick<Target, 'aggregate'>): number | undefined {
  if (aggregate === 'med') return 50
  const [, percent] = /^p\((.+)\)$/.exec(aggregate) ?? []
  return percent === undefined ? undefined : Number(percent)
}

export function meets(measured: number, { comparison, value }: Pick<Target, 'comparison' | 'value'>): boolean {
  if (comparison === '<') return measured < value
  if (comparison === '<=') return measured <= value
  if (comparison === '>' || comparison === '>=') return comparison === '>' ? measured > value : measured >= value
  return (measured === value) === (comparison === '==')
}
