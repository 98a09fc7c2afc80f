/** Asks a Prometheus, as Grafana does. */
export type Answer = readonly {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly (readonly [atSeconds: number, value: string])[]
}[]

export type Span = { readonly fromSeconds: number; readonly toSeconds: number; readonly stepSeconds?: number }

const STEP_SECONDS = 5
const RATE_WINDOW = '20s'

/** What Grafana puts in for its variables, with everything chosen. */
export function filledIn(expr: string, rangeSeconds: number): string {
  return expr
    .replaceAll('$__rate_interval', RATE_WINDOW)
    .replaceAll('$__range', `${Math.round(rangeSeconds)}s`)
    .replaceAll(/\$(namespace|release|run|scenario)/g, '.*')
}

/** @throws when Prometheus does not take the expression */
export async function askRange(
  url: string,
  expr: string,
  { fromSeconds, toSeconds, stepSeconds = STEP_SECONDS }: Span,
): Promise<Answer> {
  const parameters = new URLSearchParams({
    query: filledIn(expr, toSeconds - fromSeconds),
    start: String(fromSeconds),
    end: String(toSeconds),
    step: String(stepSeconds),
  })
  const response = await fetch(`${url}/api/v1/query_range`, { method: 'POST', body: parameters })
  const body = (await response.json()) as { data?: { result: Answer }; error?: string }
  if (body.data === undefined) throw new Error(`${expr}: ${body.error}`)
  return body.data.result
}

/** Whether there is a figure in it: NaN is none. */
export const hasFigure = (answer: Answer): boolean =>
  answer.some(({ values }) => values.some(([, value]) => value !== 'NaN'))
