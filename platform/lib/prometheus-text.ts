/** Parses Prometheus's text format, as far as prom-client writes it. */
export type PrometheusSample = {
  readonly name: string
  /** As in the text, in the same order: `{route="/x",le="0.1"}`, or empty. */
  readonly labels: string
  readonly value: number
}

export type PrometheusMetrics = {
  /** `counter`, `gauge`, `histogram` or `summary`, by name. */
  readonly types: ReadonlyMap<string, string>
  readonly samples: readonly PrometheusSample[]
}

export function parsePrometheus(text: string): PrometheusMetrics {
  const types = new Map<string, string>()
  const samples: PrometheusSample[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    if (line.startsWith('#')) {
      const [, kind, name, type] = line.split(' ')
      if (kind === 'TYPE' && name !== undefined && type !== undefined) types.set(name, type)
      continue
    }
    const space = line.lastIndexOf(' ')
    const brace = line.indexOf('{')
    const end = brace < 0 ? space : brace
    samples.push({
      name: line.slice(0, end),
      labels: brace < 0 ? '' : line.slice(brace, space),
      value: Number(line.slice(space + 1)),
    })
  }
  return { types, samples }
}

/** The labels without `le`, and `le` itself. */
export function splitEdge(labels: string): { readonly rest: string; readonly edge: number } | undefined {
  const match = /(,?)le="([^"]*)"(,?)/.exec(labels)
  if (match === null) return undefined
  const [whole, before, edge = '', after] = match
  const rest = labels.replace(whole, before !== '' && after !== '' ? ',' : '')
  return { rest: rest === '{}' ? '' : rest, edge: edge === '+Inf' ? Number.POSITIVE_INFINITY : Number(edge) }
}

/** The value of one label, `undefined` when it is not there. */
export function labelOf(labels: string, name: string): string | undefined {
  return new RegExp(`[{,]${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(labels)?.[1]
}
