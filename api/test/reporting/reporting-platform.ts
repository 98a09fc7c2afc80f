import { randomUUID } from 'node:crypto'
import type { CallState } from '@hopwhistle/contract/calls.ts'
import type { InjectOptions } from 'fastify'
import pg from 'pg'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import type { TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import { freshRedis } from '../../../platform/test-support/fresh-redis.ts'
import { createAuthenticator } from '../../src/access/authenticator.ts'
import { createRates } from '../../src/access/rates.ts'
import { createTenantLabels } from '../../src/access/tenant-labels.ts'
import { buildApp } from '../../src/app.ts'
import { createIngest } from '../../src/calls/ingest.ts'
import { callRoutes } from '../../src/calls/routes.ts'
import { parseSettings } from '../../src/config/settings.ts'
import { createHealth } from '../../src/health/health.ts'
import { openPostgres } from '../../src/postgres/open-postgres.ts'
import { createReplicaMonitor } from '../../src/postgres/replica-monitor.ts'
import { createSnapshots } from '../../src/postgres/snapshots.ts'
import { labelStore } from '../../src/postgres/tenant-labels.ts'
import { openRedis } from '../../src/redis/open-redis.ts'
import { createReportCache } from '../../src/redis/report-cache.ts'
import { createExports } from '../../src/reporting/exports.ts'
import { recentAnswers } from '../../src/reporting/recent-answers.ts'
import { createReports } from '../../src/reporting/reports.ts'
import { reportingRoutes } from '../../src/reporting/routes.ts'
import { createUnsent } from '../../src/reporting/unsent.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

export type Platform = Awaited<ReturnType<typeof startPlatform>>
export type Tenant = Awaited<ReturnType<Platform['newTenant']>>

export type PlatformOptions = {
  readonly database?: TestDatabase
  /** Instead of the replica's own address, to come between; null: no replica. */
  readonly replicaUrl?: string | null
  readonly primaryUrl?: string
  /** Default: it waits until reports read the replica, if there is one. */
  readonly waitsForReplica?: boolean
  readonly redisUrl?: string
  /** How long a report waits for the cache. Default: so long that a busy machine changes nothing. */
  readonly redisAnswersWithinMs?: number
  /** How long an instance gives an answer without a look at the cache; as it is built if absent. */
  readonly answersKeptMs?: number
  readonly env?: Readonly<Record<string, string>>
}

/** An instance that takes events and answers reports, on a database and a Redis of its own, without listening. */
export async function startPlatform(options: PlatformOptions = {}) {
  const database = options.database ?? (await freshDatabase())
  const redisUrl = options.redisUrl ?? (await freshRedis()).url
  const replicaUrl = options.replicaUrl === undefined ? database.replicaUrl : options.replicaUrl
  const settings = parseSettings({
    DATABASE_URL: options.primaryUrl ?? database.apiUrl,
    ...(replicaUrl === null ? {} : { DATABASE_REPLICA_URL: replicaUrl }),
    REDIS_URL: redisUrl,
    INSTANCE_ID: 'test',
    ...options.env,
  })
  const log = createLog({ level: process.env.TEST_LOG_LEVEL ?? 'silent', instanceId: 'test' })
  const metrics = createMetrics()
  const postgres = openPostgres(settings, log, metrics)
  const redis = openRedis(settings, log, metrics)
  const replica = createReplicaMonitor({ postgres, settings, metrics, log })
  const ingest = createIngest({ postgres, metrics, settings, log, onCommitted: async () => {} })
  const { primary, tokens } = postgres
  const reports = createReports({
    replica,
    tokens,
    history: primary.history,
    cache: createReportCache(redis, { answerWithinMs: options.redisAnswersWithinMs ?? 5_000 }),
    ...(options.answersKeptMs === undefined ? {} : { recent: recentAnswers({ keepMs: options.answersKeptMs }) }),
    metrics,
    settings,
    atOnce: () => postgres.reportConnections[replica.isUp() ? 'replica' : 'primary'],
  })
  const exports = createExports({
    openSnapshot: createSnapshots({ postgres, replica, idleMs: 2 * settings.requestTimeoutMs }),
    atOnce: postgres.exportsAtOnce,
    tokens,
    metrics,
    settings,
  })
  const rates = createRates(1_000_000, undefined)
  const labels = createTenantLabels(labelStore(postgres.upkeep, postgres.reportsReplica), 0)
  const tenantOfKey = new Map<string, string>()
  const zoneOfTenant = new Map<string, string>()
  const { http } = await buildApp({
    log,
    metrics,
    limits: { ...settings, bodiesBytes: 100_000_000 },
    access: {
      authenticator: {
        ...createAuthenticator(async () => undefined, 0),
        authenticate: async (key) => {
          const tenantId = tenantOfKey.get(key)
          return tenantId === undefined
            ? undefined
            : {
                keyId: key,
                tenantId,
                scopes: new Set(['events:write', 'reports:read'] as const),
                ...(zoneOfTenant.has(tenantId) ? { timeZone: zoneOfTenant.get(tenantId) as string } : {}),
              }
        },
      },
      rates,
      metrics,
    },
    health: createHealth('test', () => ({})),
    surface: { publicMetrics: true, publicDocs: true, corsOrigins: new Set() },
    capabilities: [
      callRoutes({ ingest, tokens, rates, labels }),
      reportingRoutes({ reports, exports, tokens, labels, unsent: createUnsent(100_000_000, metrics) }),
    ],
  })
  const owner = new pg.Pool({ connectionString: database.ownerUrl, max: 2 })
  const ownerReplica = new pg.Pool({ connectionString: database.ownerReplicaUrl, max: 1 })
  for (const pool of [owner, ownerReplica]) pool.on('error', () => {})
  const deadline = { timeoutMs: 10_000, everyMs: 5 }
  await waitUntil('Redis to answer', () => redis.isUp(), deadline)
  if (replicaUrl !== null && options.waitsForReplica !== false)
    await waitUntil('the replica to be in use', () => replica.isUp(), deadline)

  return {
    database,
    tokens,
    redisUrl,
    redis,
    replica,
    metrics,
    reports,
    owner,
    ownerReplica,
    counted: async (counter: { get(): Promise<{ values: { value: number; labels: object }[] }> }, labels: object) => {
      const { values } = await counter.get()
      return values.find((v) => JSON.stringify(v.labels) === JSON.stringify(labels))?.value ?? 0
    },
    newTenant: async (timeZone?: string) => {
      const tenantId = randomUUID()
      if (timeZone !== undefined) zoneOfTenant.set(tenantId, timeZone)
      await owner.query('insert into hopwhistle.tenants (id, name, labels) values ($1, $2, $3)', [
        tenantId,
        'of a test',
        LABELS,
      ])
      return actAs(tenantId)
    },
    actAs,
    close: async () => {
      await http.close()
      await ingest.drain()
      rates.stop()
      replica.stop()
      await redis.close()
      await Promise.all([postgres.close(), owner.end(), ownerReplica.end()])
    },
  }

  /** A client of this instance with a key of that tenant, which another instance may have made. */
  function actAs(tenantId: string) {
    const key = `key-of-${tenantId}`
    tenantOfKey.set(key, tenantId)
    const ask = async (url: string, headers: Record<string, string> = {}) => {
      const answer = await http.inject({ url, headers: { 'x-api-key': key, ...headers } } satisfies InjectOptions)
      const isJson = /[/+]json\b/.test(String(answer.headers['content-type']))
      const body = isJson ? parse(answer.body) : undefined
      return { status: answer.statusCode, headers: answer.headers, text: answer.body, body }
    }
    return {
      tenantId,
      key,
      ask,
      metrics: (query: Record<string, string>) => ask(`/api/v1/reporting/metrics?${new URLSearchParams(query)}`),
      calls: (query: Record<string, string> = {}) => ask(`/api/v1/reporting/calls?${new URLSearchParams(query)}`),
      /** @returns the position to read it from */
      post: async (...events: readonly TestEvent[]): Promise<string> => {
        const answer = await http.inject({
          method: 'POST',
          url: '/api/v1/events/calls',
          headers: { 'x-api-key': key },
          payload: { events: events.map(eventBody) },
        })
        const refused = answer.json().results.find((r: { status: number }) => r.status >= 300)
        if (refused !== undefined) throw new Error(`an event was refused: ${JSON.stringify(refused)}`)
        return answer.json().position
      },
    }
  }
}

/** What every tenant of a test has declared. */
const LABELS = ['campaign', 'source', 'agent']

export type TestEvent = {
  readonly callId: string
  readonly state: CallState
  readonly atMs: number
  readonly eventId?: string
  readonly direction?: 'inbound' | 'outbound'
  readonly from?: string
  readonly to?: string
  readonly metadata?: object
  readonly labels?: Readonly<Record<string, string>>
}

function eventBody({ atMs, eventId = randomUUID(), ...event }: TestEvent) {
  return { eventId, occurredAt: new Date(atMs).toISOString(), ...event }
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
function parse(body: string): any {
  return body === '' ? undefined : JSON.parse(body)
}
