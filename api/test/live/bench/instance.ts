/** One API instance of the benchmark: its live part, and a publisher at a steady rate. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import { createLive } from '../../../src/live/live.ts'
import { openRedis } from '../../../src/redis/open-redis.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'

const [redisUrl = '', tick, rate] = process.argv.slice(2)
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
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))

let published = 0
function publish(): void {
  const startedAt = performance.now()
  setInterval(
    () => {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * Number(rate))
      while (published < due) {
        published += 1
        const now = Date.now()
        const id = `${process.pid}-${published}`
        live
          .publish({
            batchId: id,
            tenantId: DEMO_TENANT_ID,
            messages: [
              {
                type: 'call.ringing',
                eventId: `bench-event-${id}`,
                callId: `bench-call-${id}`,
                sequence: 1,
                occurredAt: now,
                receivedAt: now,
                outcome: 'applied',
                direction: 'inbound',
                from: '+15550100001',
                to: '+15550100002',
              },
            ],
          })
          .catch(() => {})
      }
    },
    Math.max(1, 1000 / Number(rate)),
  )
}

process.on('message', (what) => {
  if (what === 'publish') publish()
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuSeconds: (user + system) / 1e6, systemSeconds: system / 1e6 })
})

process.on('disconnect', () => process.exit(0))
