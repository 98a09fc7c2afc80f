/** 30 days by the hour, uncached: on the large history and the small one, and by plain SQL on the large one's replica. */
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { withClient } from '@hopwhistle/platform/stack/with-client.ts'
import type { Client } from 'pg'
import { median } from '../arithmetic.ts'
import { type Contender, runRounds } from '../measure/run-rounds.ts'
import { openTimedClient } from '../measure/timed-get.ts'
import type { PartOptions } from '../parts.ts'
import { HEADERS_OF_KEY, TENANT_ID } from '../platform/key.ts'
import { preparePlainSql, readPlainMetrics } from './plain-sql.ts'
import type { History, ReportsPlatform } from './reports-platform.ts'
import { compareAnswers, type MetricsReport } from './same-answers.ts'
import { getUncached } from './uncached.ts'

/** Milliseconds of each request of a turn. */
export type MonthMeasured = Readonly<Record<'large' | 'small' | 'plainSql', readonly (readonly number[])[]>> & {
  readonly hoursCompared: number
}

const HOUR_MS = 3_600_000
const MONTH_MS = 30 * 24 * HOUR_MS
/** Requests of a turn, and of the warm-up before the first turn. */
const REQUESTS = 30
const WARM_UP = 20

export async function measureMonth(
  { small, large }: Pick<ReportsPlatform, 'small' | 'large'>,
  options: PartOptions,
): Promise<MonthMeasured> {
  const { quick } = options
  // Until the last full hour, which no longer changes: both read the same data.
  const toMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS
  const range = { fromMs: toMs - MONTH_MS, toMs }
  return withClient(large.database.ownerReplica, async (client) => {
    await preparePlainSql(client)
    const hoursCompared = await compare(large, client, range)
    const contenders: readonly Contender<readonly number[]>[] = [
      { name: 'large', measure: () => askUncached(large, range, quick ? 3 : REQUESTS) },
      { name: 'small', measure: () => askUncached(small, range, quick ? 3 : REQUESTS) },
      {
        name: 'plainSql',
        measure: async () => [(await readPlainMetrics(client, TENANT_ID, range.fromMs, range.toMs)).ms],
      },
    ]
    for (const history of [large, small]) await askUncached(history, range, quick ? 1 : WARM_UP)
    const measured = await runRounds('reports, 30 days by the hour', options, contenders)
    return { ...(measured as Omit<MonthMeasured, 'hoursCompared'>), hoursCompared }
  })
}

type Range = { readonly fromMs: number; readonly toMs: number }

const pathOf = ({ fromMs, toMs }: Range): string =>
  `${ROUTES.reportMetrics}?granularity=hour&from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}`

async function askUncached(history: History, range: Range, requests: number): Promise<readonly number[]> {
  const client = openTimedClient(history.api.port, HEADERS_OF_KEY)
  try {
    const taken: number[] = []
    for (let i = 0; i < requests; i++) taken.push((await getUncached(history, client, pathOf(range))).ms)
    return taken
  } finally {
    client.close()
  }
}

async function compare(history: History, client: Client, { fromMs, toMs }: Range): Promise<number> {
  const timed = openTimedClient(history.api.port, HEADERS_OF_KEY)
  try {
    const { body } = await timed.get(pathOf({ fromMs, toMs }))
    const { metrics } = await readPlainMetrics(client, TENANT_ID, fromMs, toMs)
    return compareAnswers(JSON.parse(body) as MetricsReport, metrics)
  } finally {
    timed.close()
  }
}

export const monthMedians = (turns: readonly (readonly number[])[]): readonly number[] => turns.map(median)
