/**
 * Percentiles cannot be combined: the p95 of two instances together is neither the mean nor the sum of their p95s.
 *
 * @returns what is wrong with an expression; empty when nothing is
 */
export function percentileProblems(expr: string): readonly string[] {
  const text = expr.replaceAll(/\s+/g, ' ')
  const problems: string[] = []
  const OF_QUANTILE =
    /\b(avg|sum|stddev|avg_over_time|sum_over_time|quantile_over_time)( by \([^)]*\))? ?\( ?(histogram_)?quantile/
  if (OF_QUANTILE.test(text)) problems.push('aggregates percentiles: aggregate the buckets, then take the percentile')
  if (/\b(avg|sum|quantile|avg_over_time)( by \([^)]*\))? ?\( ?\w*_p\d{2,3}(_\w+)?\b/.test(text))
    problems.push('adds up or averages what is a percentile already: show each, or the worst of them')
  if (/quantile="/.test(text) && !/\b(max|min)\b/.test(text))
    problems.push('reads the percentiles of a summary: show each, or the worst of them')
  for (const [, inner = ''] of text.matchAll(/histogram_quantile\([\d.]+, (.{0,80})/g)) {
    if (!/^sum( by \([^)]*\))? ?\(rate\(/.test(inner))
      problems.push(`takes a percentile of "${inner.slice(0, 40)}…": it has to be sum by (le, …) (rate(…))`)
  }
  return problems
}
