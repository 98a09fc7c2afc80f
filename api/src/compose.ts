import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LimitName } from '@hopwhistle/contract/limits.ts'
import { createAuthenticator } from './access/authenticator.ts'
import { labelRoutes } from './access/label-routes.ts'
import { withLastUse } from './access/last-use.ts'
import { createRates } from './access/rates.ts'
import { createSecretBox } from './access/secret-box.ts'
import { createTenantLabels } from './access/tenant-labels.ts'
import { tokenRoutes } from './access/token-routes.ts'
import { createTurns } from './access/turns.ts'
import { buildAdminApp, buildApp } from './app.ts'
import { createIngest } from './calls/ingest.ts'
import { createKeepAside } from './calls/keep-aside.ts'
import { parseEvent } from './calls/parse-event.ts'
import { startRetention } from './calls/retention.ts'
import { callRoutes } from './calls/routes.ts'
import { memoryBudget } from './config/memory-budget.ts'
import type { Settings } from './config/settings.ts'
import type { Health } from './health/health.ts'
import { createHealth } from './health/health.ts'
import { createLive } from './live/live.ts'
import { liveRoutes } from './live/routes.ts'
import { findPrincipal } from './postgres/find-principal.ts'
import { findBrowserToken, keepBrowserToken } from './postgres/keys/browser-tokens.ts'
import { noteKeyUse } from './postgres/keys/note-key-use.ts'
import { findProviderCallback } from './postgres/keys/provider-callbacks.ts'
import { openPostgres } from './postgres/open-postgres.ts'
import { readPostgresUsage } from './postgres/read-usage.ts'
import { createReplicaMonitor } from './postgres/replica-monitor.ts'
import { createSnapshots } from './postgres/snapshots.ts'
import { labelStore } from './postgres/tenant-labels.ts'
import { createCallbacks } from './providers/callbacks.ts'
import { providerRoutes } from './providers/routes.ts'
import { exchangeCounts } from './redis/exchange-counts.ts'
import { openRedis } from './redis/open-redis.ts'
import { readRedisUsage } from './redis/read-usage.ts'
import { createReportCache } from './redis/report-cache.ts'
import { createExports } from './reporting/exports.ts'
import { recentAnswers } from './reporting/recent-answers.ts'
import { createReports } from './reporting/reports.ts'
import { reportingRoutes } from './reporting/routes.ts'
import { createUnsent } from './reporting/unsent.ts'
import { startZoneComparison } from './reporting/zones/compare-zones.ts'
import type { Log } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { type UsageReaders, usageGauges } from './telemetry/refresh-usage.ts'
import { createServerUsage } from './telemetry/server-usage.ts'
import { webhookRoutes } from './webhooks/routes.ts'
import { createWebhooks } from './webhooks/webhooks.ts'

/** One instance of the API, wired and not yet listening. */
export type Instance = {
  readonly health: Health
  listen(): Promise<{ readonly port: number; readonly adminPort: number | undefined }>
  /** Finishes what was accepted and closes everything, in the order that main.ts describes. */
  close(): Promise<void>
}

export async function compose(settings: Settings, log: Log): Promise<Instance> {
  const metrics = createMetrics()
  const memory = memoryBudget(settings.memoryBytes)
  const postgres = openPostgres(settings, log, metrics)
  const redis = openRedis(settings, log, metrics)
  const replica = createReplicaMonitor({ postgres, settings, metrics, log })

  const authenticator = createAuthenticator(
    withLastUse(findPrincipal(postgres.upkeep, postgres.reportsReplica), (keyIds) =>
      noteKeyUse(postgres.upkeep, keyIds),
    ),
    settings.keyCacheMs,
    undefined,
    findBrowserToken(postgres.upkeep, postgres.reportsReplica),
  )
  const rates = createRates(settings.tenantRatePerSecond, exchangeCounts(redis.commands))
  const labels = createTenantLabels(labelStore(postgres.upkeep, postgres.reportsReplica), settings.keyCacheMs)
  const live = createLive({ redis, metrics, settings, memory, log, authenticator })
  const ingest = createIngest({ postgres, metrics, settings, log, onCommitted: live.publish })
  const retention = startRetention({
    upkeep: postgres.upkeep,
    keepDays: settings.retentionDays,
    keepChangesDays: settings.changesRetentionDays,
    metrics,
    log,
  })
  const turns = createTurns(() => postgres.settingsAtOnce)
  const webhooks = createWebhooks({ postgres, settings, memory, turns, metrics, log })
  const { primary, tokens } = postgres
  const reports = createReports({
    replica,
    cache: createReportCache(redis),
    recent: recentAnswers({ bytesMax: memory.reportCache }),
    tokens,
    history: primary.history,
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

  const zones = startZoneComparison({ db: postgres.upkeep, metrics, log })

  const health = createHealth(
    settings.instanceId,
    () => ({
      postgres: replica.primaryIsUp(),
      ...(postgres.reportsReplica === undefined ? {} : { replica: replica.isUp() }),
      redis: redis.isUp(),
    }),
    () => {
      if (primary.isStandby()) return 'DATABASE_URL leads to a standby'
      return primary.history() === undefined ? 'DATABASE_URL was never reached; the log says why' : undefined
    },
  )
  const app = await buildApp({
    log,
    metrics,
    limits: { ...settings, bodiesBytes: memory.bodies },
    access: { authenticator, rates, metrics },
    surface: settings,
    health,
    capabilities: [
      callRoutes({
        ingest,
        tokens,
        keepAside: settings.eventsKeepAside ? createKeepAside(postgres.ingest) : undefined,
        rates,
        labels,
      }),
      providerRoutes({
        callbacks: createCallbacks({
          find: findProviderCallback(postgres.upkeep),
          secrets: settings.providerSecretsKeys && createSecretBox(settings.providerSecretsKeys),
          cacheMs: settings.keyCacheMs,
          log,
        }),
        events: {
          parse: (body) => parseEvent(body, Date.now()),
          submit: ingest.submit,
          refusal: ingest.refusal,
        },
        rates,
        tokens,
        publicUrl: settings.publicUrl || undefined,
      }),
      reportingRoutes({ reports, exports, tokens, labels, unsent: createUnsent(memory.answers, metrics) }),
      liveRoutes(),
      tokenRoutes((token) => keepBrowserToken(postgres.upkeep, token), turns),
      labelRoutes(labels, turns),
      webhookRoutes(webhooks.manage),
    ],
  })
  const admin = await buildAdminApp({ log, metrics, health })

  const servers = createServerUsage([
    async () => {
      const { connections, oldestQueryMs } = await readPostgresUsage(postgres.upkeep)
      return { postgres_connections: connections, postgres_query_timeout: oldestQueryMs }
    },
    async () => {
      const { connections, memoryBytes } = await readRedisUsage(redis.commands)
      return { redis_connections: connections, redis_memory: memoryBytes }
    },
  ])
  const usage: UsageReaders = {
    postgres_connections: () => servers.of('postgres_connections'),
    postgres_query_timeout: () => servers.of('postgres_query_timeout'),
    postgres_pool: postgres.connectionsInUse,
    redis_connections: () => servers.of('redis_connections'),
    redis_memory: () => servers.of('redis_memory'),
    requests_in_flight: app.load.count,
    request_timeout: app.load.oldestMs,
    request_body: app.load.longestBodyBytes,
    websockets: live.sockets,
    live_socket_buffer: live.mostUnread,
    ingest_queue: ingest.queued,
    tenant_rate: rates.busiest,
  }
  metrics.beforeScrape(
    usageGauges(metrics, limitsOf(settings), usage, () => Promise.all([servers.read(), replica.look()])),
  )
  app.http.server.on('upgrade', live.handleUpgrade)

  return {
    health,
    listen: async () => {
      const { host, port, reusePort, adminPort } = settings
      await app.http.listen({ host, port, ...(reusePort ? { reusePort } : {}) })
      if (adminPort !== undefined) await admin.listen({ host, port: adminPort })
      return {
        port: (app.http.server.address() as AddressInfo).port,
        adminPort: adminPort === undefined ? undefined : (admin.server.address() as AddressInfo).port,
      }
    },
    close: async () => {
      exports.drain()
      await live.drain()
      const closed = app.http.close()
      while (app.load.count() > 0) await sleep(10)
      // A connection on which nothing was ever asked is not idle to Node: it would be waited for, and for ever.
      app.http.server.closeAllConnections()
      await closed
      await Promise.all([ingest.drain(), retention.stop(), webhooks.stop()])
      await admin.close()
      rates.stop()
      zones.stop()
      replica.stop()
      await redis.close()
      await postgres.close()
    },
  }
}

/** The limits as configured, by the names of the contract. */
function limitsOf(settings: Settings): Readonly<Record<LimitName, number>> {
  return {
    postgres_connections: settings.postgresConnections,
    postgres_query_timeout: settings.postgresQueryTimeoutMs,
    postgres_pool: settings.postgresPool,
    redis_connections: settings.redisConnections,
    redis_memory: settings.redisMemoryBytes,
    requests_in_flight: settings.requestsInFlight,
    request_timeout: settings.requestTimeoutMs,
    websockets: settings.websockets,
    ingest_queue: settings.ingestQueue,
    live_socket_buffer: settings.liveSocketBufferBytes,
    tenant_rate: settings.tenantRatePerSecond,
    request_body: settings.bodyBytes,
  }
}
