/** CPU for a request to each endpoint of one instance. */
import { DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { withClient } from '@hopwhistle/platform/stack/with-client.ts'
import { runName } from '../generator/call-events.ts'
import type { RequestPlan } from '../generator/requests.ts'
import { startGenerator } from '../generator/start-generator.ts'
import { type Loaded, measureLoad } from '../measure/loaded.ts'
import { runRounds } from '../measure/run-rounds.ts'
import type { PartOptions } from '../parts.ts'
import { HEADERS_OF_KEY } from '../platform/key.ts'
import type { Api, Database, PeerPlatform } from '../platform/peer-platform.ts'
import { reportPaths } from '../reports/report-paths.ts'

export const ENDPOINT_CONNECTIONS = 8
/** Events in a request to the batch endpoint. */
export const BATCH = 100

export type EndpointsMeasured = Readonly<Record<string, readonly Loaded[]>>

export async function measureEndpoints(
  platform: PeerPlatform,
  database: Database,
  api: Api,
  options: PartOptions,
): Promise<EndpointsMeasured> {
  const { quick } = options
  const { primary, replica } = platform.pair
  const groups = {
    api: [api.process.pid],
    'postgres primary': [primary.process.pid],
    'postgres replica': [replica.process.pid],
    redis: [platform.redis.process.pid],
  }
  const load = { mode: 'closed', seconds: quick ? 0.3 : 3 } as const
  const contenders = []
  for (const [name, newPlan] of Object.entries(await plans(database))) {
    // New connections for each turn: between two turns the server would close idle ones.
    const measure = async () => {
      const config = { ports: [api.port], connections: ENDPOINT_CONNECTIONS, plan: newPlan() }
      const generator = await startGenerator(platform, config)
      const loaded = await measureLoad(generator, groups, load, quick ? 0.2 : 1)
      await generator.stop()
      return loaded
    }
    contenders.push({ name, measure })
  }
  return runRounds('cost', options, contenders)
}

async function plans(database: Database): Promise<Readonly<Record<string, () => RequestPlan>>> {
  const events = (path: string) => (): RequestPlan => ({
    kind: 'events',
    path,
    headers: HEADERS_OF_KEY,
    run: runName(),
    runStartedAtMs: Date.now(),
    occurred: 'earlier',
    ...(path === ROUTES.callEvents ? { as: BATCH } : {}),
  })
  const get =
    (...paths: readonly string[]) =>
    (): RequestPlan => ({ kind: 'get', paths, headers: HEADERS_OF_KEY })
  const reports = reportPaths()
  const only = (path: string, more = '') => reports.filter((report) => report.startsWith(`${path}?${more}`))
  const yesterday = new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000)
  const dayBefore = new Date(yesterday.getTime() - 86_400_000)
  const cached = `${ROUTES.reportMetrics}?granularity=hour&from=${dayBefore.toISOString()}&to=${yesterday.toISOString()}`
  const calls = await someCalls(database)
  return {
    [`POST ${ROUTES.callEvent}`]: events(ROUTES.callEvent),
    [`POST ${ROUTES.callEvents}, ${BATCH} events`]: events(ROUTES.callEvents),
    [`GET ${ROUTES.reportMetrics}, by the hour`]: get(...only(ROUTES.reportMetrics, 'granularity=hour')),
    [`GET ${ROUTES.reportMetrics}, by the day`]: get(...only(ROUTES.reportMetrics, 'granularity=day')),
    [`GET ${ROUTES.reportMetrics}, cached`]: get(cached),
    [`GET ${ROUTES.reportCalls}`]: get(...only(ROUTES.reportCalls)),
    [`GET ${ROUTES.call}`]: get(...calls.map((id) => ROUTES.call.replace(':callId', encodeURIComponent(id)))),
    [`GET ${ROUTES.health}`]: get(ROUTES.health),
    [`GET ${ROUTES.readyz}`]: get(ROUTES.readyz),
    [`GET ${ROUTES.metrics}`]: get(ROUTES.metrics),
    [`GET ${ROUTES.openapi}`]: get(ROUTES.openapi),
  }
}

const someCalls = (database: Database): Promise<readonly string[]> =>
  withClient(database.owner, async (client) => {
    const { rows } = await client.query<{ call_id: string }>(
      'select call_id from hopwhistle.calls where tenant_id = $1 order by call_id limit 1000',
      [DEMO_TENANT_ID],
    )
    return rows.map((row) => row.call_id)
  })
