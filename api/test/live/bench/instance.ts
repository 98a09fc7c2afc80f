/** One API instance of the benchmarks: its live part, and a publisher at a steady rate. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import { memoryBudget } from '../../../src/config/memory-budget.ts'
import { createLive } from '../../../src/live/live.ts'
import { openRedis } from '../../../src/redis/open-redis.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'

const [redisUrl = '', tick, port = '0'] = process.argv.slice(2)
const log = createLog({ level: 'silent', instanceId: String(process.pid) })
const metrics = createMetrics()
const redis = openRedis({ redisUrl }, log, metrics)
const live = createLive({
  redis,
  metrics,
  log,
  authenticator: {
    authenticate: async () => ({ keyId: 'k', tenantId: DEMO_TENANT_ID, scopes: new Set(['live:read'] as const) }),
    stillValid: async () => true,
  },
  memory: memoryBudget(805_306_368),
  settings: {
    websockets: 1000,
    liveSocketBufferBytes: 1_048_576,
    liveTickMs: Number(tick),
    liveHistoryMessages: 100_000,
    liveHistorySeconds: 300,
  },
})
const server = createServer()
server.on('upgrade', live.handleUpgrade)
// Several instances may share a port, as those of the stack do: the kernel spreads the connections.
server.listen({ port: Number(port), host: '127.0.0.1', reusePort: true }, () =>
  process.send?.({ port: (server.address() as AddressInfo).port }),
)

/** What a benchmark sends: numbers of all instances together are 0, 1, 2, …, as the load test numbers its messages. */
type Asked =
  | 'usage'
  | 'stop'
  | { readonly publish: { runId: string; first: number; step: number; ratePerSecond: number } }
  | { readonly farewells: readonly string[] }

let published = 0
let publishing: NodeJS.Timeout | undefined

function publish({ runId, first, step, ratePerSecond }: Extract<Asked, { publish: unknown }>['publish']): void {
  const startedAt = performance.now()
  published = 0
  publishing = setInterval(
    () => {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * (ratePerSecond / step))
      for (; published < due; published++) send(`${runId}.p${first + published * step}.${Math.floor(startedAt)}`)
    },
    Math.max(1, (1000 * step) / ratePerSecond),
  )
}

function send(eventId: string): void {
  const now = Date.now()
  const type = 'call.ringing' as const
  const ofCall = {
    eventId,
    callId: `call-of-${eventId}`,
    sequence: 1,
    direction: 'inbound',
    from: '+15550100001',
    to: '+15550100002',
  }
  const message = { type, ...ofCall, occurredAt: now, receivedAt: now, outcome: 'applied' as const }
  live.publish({ batchId: eventId, tenantId: DEMO_TENANT_ID, messages: [message] }).catch(() => {})
}

process.on('message', async (what: Asked) => {
  if (what === 'stop') clearInterval(publishing)
  else if (what !== 'usage' && 'publish' in what) publish(what.publish)
  else if (what !== 'usage') what.farewells.forEach(send)
  const { user, system } = process.cpuUsage()
  process.send?.({
    cpuSeconds: (user + system) / 1e6,
    systemSeconds: system / 1e6,
    published,
    sockets: live.sockets(),
    frames: (await metrics.liveFrames.get()).values[0]?.value ?? 0,
  })
})

process.on('disconnect', () => process.exit(0))
