/** The figures of servers, from a Prometheus that watches them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { rounded } from '../findings/stat.ts'
import type { ServerFigures } from './own-result.ts'
import type { ServerQuery } from './targets-file.ts'

type Answer = {
  readonly status: string
  readonly error?: string
  readonly data?: { readonly resultType: string; readonly result: unknown }
}
type Matrix = readonly {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly [number, string][]
}[]

const MOST_POINTS = 240
const MOST_SERIES = 20
const ANSWER_MS = 15_000

export type Prometheus = {
  /** @throws {Failure} when it does not answer, or refuses a query */
  check(queries: Readonly<Record<string, ServerQuery>>): Promise<void>
  /** Of the time between two moments. Never throws: what is not known says why. */
  figures(
    queries: Readonly<Record<string, ServerQuery>>,
    fromMs: number,
    toMs: number,
  ): Promise<readonly ServerFigures[]>
}

/** @param url with a user and a password in it, where it needs them; neither is ever shown */
export function prometheusAt(url: string): Prometheus {
  const { base, headers } = addressOf(url)

  async function ask(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const response = await fetch(`${base}/api/v1/${path}`, {
      method: 'POST',
      headers,
      body: new URLSearchParams(parameters),
      signal: AbortSignal.timeout(ANSWER_MS),
    }).catch((error: Error) => {
      throw new Error(`it does not answer: ${(error.cause as Error | undefined)?.message ?? error.message}`)
    })
    const answer = (await response.json().catch(() => ({ status: `HTTP ${response.status}` }))) as Answer
    if (answer.status !== 'success') throw new Error(answer.error ?? answer.status)
    return answer.data?.result
  }

  const range = async (query: string, fromMs: number, toMs: number) => {
    const step = Math.max(1, Math.ceil((toMs - fromMs) / 1000 / MOST_POINTS))
    const result = (await ask('query_range', {
      query,
      start: String(fromMs / 1000),
      end: String(toMs / 1000),
      step: String(step),
    })) as Matrix
    return result.slice(0, MOST_SERIES).map(({ metric, values }) => ({
      labels: labelsOf(metric),
      points: values
        .filter(([, value]) => Number.isFinite(Number(value)))
        .map(([at, value]) => [rounded(at - fromMs / 1000), rounded(Number(value))] as const),
    }))
  }

  return {
    async check(queries) {
      const problems: string[] = []
      for (const [name, { query, limit }] of Object.entries(queries)) {
        for (const [what, promql] of [
          [name, query],
          [`the limit of ${name}`, limit],
        ] as const) {
          if (typeof promql !== 'string') continue
          await ask('query', { query: promql }).catch((error: Error) => problems.push(`${what}: ${error.message}`))
        }
      }
      if (Object.keys(queries).length === 0)
        await ask('query', { query: 'vector(1)' }).catch((error: Error) => problems.push(error.message))
      if (problems.length > 0)
        throw new Failure(`Prometheus at ${base} cannot be asked. ${[...new Set(problems)].join('\n')}`)
    },

    async figures(queries, fromMs, toMs) {
      // The last scrape of the run has to be there.
      await sleep(Math.max(0, toMs + 1_000 - Date.now()))
      return Promise.all(
        Object.entries(queries).map(async ([name, { query, unit = '', limit }]): Promise<ServerFigures> => {
          try {
            const series = await range(query, fromMs, toMs)
            const highest =
              typeof limit === 'string'
                ? Math.max(
                    ...(await range(limit, fromMs, toMs)).flatMap(({ points }) => points.map(([, value]) => value)),
                  )
                : limit
            return {
              name,
              query,
              unit,
              ...(highest === undefined || !Number.isFinite(highest) ? {} : { limit: highest }),
              series,
              ...(series.length === 0 ? { problem: 'the query has no answer for the time of the run' } : {}),
            }
          } catch (error) {
            return { name, query, unit, series: [], problem: (error as Error).message }
          }
        }),
      )
    },
  }
}

/** `job="api", instance="10.0.0.1"`; the metric's name says nothing that the query does not. */
const labelsOf = ({ __name__: _, ...labels }: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')

function addressOf(url: string): { base: string; headers: Record<string, string> } {
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new Failure('the address of Prometheus is not a URL; it may be as http://localhost:9090')
  }
  const parsed = new URL(url)
  const { username, password } = parsed
  parsed.username = ''
  parsed.password = ''
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return {
    base: parsed.href.replace(/\/+$/, ''),
    headers: username === '' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
  }
}
