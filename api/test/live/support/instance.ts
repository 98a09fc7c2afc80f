import { hash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Scope } from '@hopwhistle/contract/routes.ts'
import { waitUntil } from '../../../../platform/lib/wait-until.ts'
import { createAuthenticator } from '../../../src/access/authenticator.ts'
import { type MemoryBudget, memoryBudget } from '../../../src/config/memory-budget.ts'
import type { LiveSettings } from '../../../src/live/live.ts'
import { createLive } from '../../../src/live/live.ts'
import { openRedis } from '../../../src/redis/open-redis.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'

export const TENANT = '11111111-1111-4111-8111-111111111111'
export const OTHER_TENANT = '22222222-2222-4222-8222-222222222222'

/** Keys by their text; what a test puts in or takes out holds at once. */
export const keys = new Map<string, { tenantId: string; scopes: ReadonlySet<Scope> }>([
  ['key', { tenantId: TENANT, scopes: new Set(['live:read']) }],
  ['other-key', { tenantId: OTHER_TENANT, scopes: new Set(['live:read']) }],
  ['no-scope', { tenantId: TENANT, scopes: new Set(['events:write']) }],
])

export type TestInstance = Awaited<ReturnType<typeof startInstance>>

/** The live part of one API instance on a port of its own, with real Redis connections. */
export async function startInstance(
  redis: { readonly redisUrl: string; readonly redisClusterNodes?: string },
  settings: Partial<LiveSettings> = {},
  memory: Partial<MemoryBudget> = {},
) {
  const log = createLog({ level: 'silent', instanceId: 'test' })
  const metrics = createMetrics()
  const connections = openRedis(redis, log, metrics)
  const authenticator = createAuthenticator(async (keyHash) => {
    for (const [key, { tenantId, scopes }] of keys) {
      if (keyHash.equals(hash('sha256', key, 'buffer'))) return { keyId: `id of ${key}`, tenantId, scopes }
    }
    return undefined
  }, 50)
  const live = createLive({
    redis: connections,
    metrics,
    log,
    authenticator,
    memory: { ...memoryBudget(805_306_368), ...memory },
    settings: {
      websockets: 1000,
      liveSocketBufferBytes: 1_048_576,
      liveTickMs: 20,
      liveHistoryMessages: 100_000,
      liveHistorySeconds: 300,
      ...settings,
    },
  })
  const server = createServer((_request, response) => response.end())
  server.on('upgrade', live.handleUpgrade)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await waitUntil('Redis to answer', () => connections.isUp(), { timeoutMs: 5_000, everyMs: 5 })
  const { port } = server.address() as AddressInfo
  return {
    live,
    metrics,
    redis: connections,
    port,
    url: `ws://127.0.0.1:${port}/api/v1/live`,
    /** The value of a metric with these labels, 0 when there is none. */
    async metric(metric: keyof typeof metrics, labels: Record<string, string> = {}): Promise<number> {
      const { name, values } = await (metrics[metric] as { get(): Promise<MetricValues> }).get()
      const found = values.filter(
        (value) =>
          (value.metricName ?? name) === name &&
          Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted),
      )
      return found.reduce((sum, { value }) => sum + value, 0)
    },
    async stop() {
      await live.drain(0)
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await connections.close()
    },
  }
}

type MetricValues = {
  readonly name: string
  readonly values: readonly { metricName?: string; labels: Record<string, string>; value: number }[]
}
