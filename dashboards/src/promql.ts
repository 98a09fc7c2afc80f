/**
 * Builds PromQL as text from parts that fit together only correctly: percentiles are computed from summed buckets, never
 * from other percentiles.
 */

/** A value may begin with `=~`, `!~` or `!=`; without one of these it matches exactly. */
export type Matchers = Readonly<Record<string, string>>

/** The targets that the variables of a dashboard select. */
export const CHOSEN: Matchers = { namespace: '=~$namespace', release: '=~$release' }

/** The window that Grafana computes from the panel's resolution and the scrape interval. */
export const PANEL_WINDOW = '$__rate_interval'

export function select(metric: string, matchers: Matchers = {}): string {
  const written = Object.entries(matchers).map(([label, value]) => {
    const [, operator = '=', operand = ''] = /^(=~|!~|!=)?(.*)$/s.exec(value) ?? []
    return `${label}${operator}"${operand}"`
  })
  return written.length === 0 ? metric : `${metric}{${written.join(', ')}}`
}

/** `=~a|b`: any of these, whatever characters are in them. */
export const anyOf = (values: readonly string[]): string =>
  `=~${values.map((value) => value.replaceAll(/[.*+?^${}()|[\]]/g, '\\\\$&')).join('|')}`

export type Aggregation = 'sum' | 'max' | 'min' | 'count' | 'group'

export const aggregate = (how: Aggregation, expression: string, by: readonly string[] = []): string =>
  by.length === 0 ? `${how}(${expression})` : `${how} by (${by.join(', ')}) (${expression})`

export const rate = (metric: string, matchers: Matchers, window = PANEL_WINDOW): string =>
  `rate(${select(metric, matchers)}[${window}])`

export const sumRate = (
  metric: string,
  matchers: Matchers,
  by: readonly string[] = [],
  window = PANEL_WINDOW,
): string => aggregate('sum', rate(metric, matchers, window), by)

/** The percentile of everything that the buckets counted in the window, over all instances together. */
export function percentile(
  share: number,
  histogram: string,
  matchers: Matchers,
  by: readonly string[] = [],
  window = PANEL_WINDOW,
): string {
  return `histogram_quantile(${share}, ${sumRate(`${histogram}_bucket`, matchers, ['le', ...by], window)})`
}

/** The same for a native histogram, which has all buckets in one series. */
export const nativePercentile = (share: number, histogram: string, matchers: Matchers, by: readonly string[] = []) =>
  `histogram_quantile(${share}, ${sumRate(histogram, matchers, by)})`

/** A share between 0 and 1: 0 when `part` was never counted, no value when there is no `whole`. */
export const share = (part: string, whole: string): string => `(${part} or 0 * ${whole}) / (${whole} > 0)`
