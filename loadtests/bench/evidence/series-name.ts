/** The name of a Prometheus series taken apart: `requests_total{method="GET",status="200"}`. */
export type SeriesName = { readonly name: string; readonly labels: Readonly<Record<string, string>> }

const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g

export function readSeriesName(series: string): SeriesName {
  const brace = series.indexOf('{')
  if (brace < 0) return { name: series, labels: {} }
  const labels: Record<string, string> = {}
  for (const [, label = '', value = ''] of series.slice(brace).matchAll(LABEL)) {
    labels[label] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
  }
  return { name: series.slice(0, brace), labels }
}
