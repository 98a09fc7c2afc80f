/** Parses PromQL as far as the linter needs it; promtool and Prometheus parse it in full. */
const WORDS = new Set([
  'by',
  'on',
  'ignoring',
  'without',
  'and',
  'or',
  'unless',
  'bool',
  'group_left',
  'group_right',
  'offset',
])

/** The names of the metrics that an expression reads. */
export function metricsIn(expr: string): ReadonlySet<string> {
  const bare = expr
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)/g, ' ')
  const names = [...bare.matchAll(/(?<![\w$.])[a-zA-Z_:][\w:]*(?!\w)(?!\s*\()/g)].map(([name]) => name)
  return new Set(names.filter((name) => !WORDS.has(name) && !/^\d/.test(name)))
}

export type Selector = { readonly metric: string; readonly labels: ReadonlySet<string> }

/** Each use of a metric, with the labels that select it. */
export function selectorsIn(expr: string): readonly Selector[] {
  const metrics = metricsIn(expr)
  return [...expr.matchAll(/([a-zA-Z_:][\w:]*)(?:\{([^}]*)\})?/g)]
    .filter(([, name = '']) => metrics.has(name))
    .map(([, metric = '', matchers = '']) => ({
      metric,
      labels: new Set([...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label)),
    }))
}
