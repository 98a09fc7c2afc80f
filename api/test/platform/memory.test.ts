/** The parts of an instance's memory are filled, and it stays below its limit. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { GiveUp, waitUntil } from '../../../platform/lib/wait-until.ts'
import { memoryBudget } from '../../src/config/memory-budget.ts'
import { encodeBody } from '../../src/live/messages.ts'
import { messageLog } from '../../src/redis/message-log.ts'
import { openRedis } from '../../src/redis/open-redis.ts'
import { seedCalls } from '../reporting/seed-calls.ts'
import { receiver } from '../webhooks/receiver.ts'
import { type ApiProcess, apiProcess } from './api-process.ts'
import { anEvent, type Platform, runningPlatform, type Tenant } from './running-platform.ts'

const MIB = 1_048_576
const LIMIT = 512 * MIB
let platform: Platform
let api: ApiProcess
beforeAll(async () => {
  platform = await runningPlatform(0)
  api = await apiProcess(platform, {
    MEMORY_LIMIT_BYTES: String(LIMIT),
    LOG_LEVEL: 'fatal',
    TENANT_RATE_PER_SECOND: '1000000',
    INGEST_QUEUE_MAX: '1000000',
    // Only the budget for all sockets bounds what one has not read.
    LIVE_SOCKET_BUFFER_BYTES: String(LIMIT),
    // Events wait in the outbox for Redis, and the sweeper publishes none of them.
    OUTBOX_SWEEP_AFTER_MS: '600000',
    // On a slow machine it takes a while to fill everything, and what fills it must stay.
    REQUEST_TIMEOUT_MS: '300000',
    EXPORT_SECONDS_MAX: '3600',
    POSTGRES_QUERY_TIMEOUT_MS: '300000',
    WEBHOOK_KEYS: Buffer.alloc(32, 1).toString('base64'),
    WEBHOOK_ALLOW_HTTP: 'true',
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    WEBHOOK_TIMEOUT_MS: '60000',
    // As Node itself does in a container of that size.
    NODE_OPTIONS: `--max-old-space-size=${LIMIT / 2 / MIB}`,
  })
}, 240_000)
afterAll(async () => {
  api?.process.kill('SIGTERM')
  await platform.close()
})

/** The most that the process ever used. */
const mostBytes = () => {
  const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${api.process.pid}/status`, 'utf8'))?.[1]
  return Number(kib) * 1024
}

/** Announces a body of 1 MiB and sends all of it but the end. @returns what was answered by then, and the connection */
function almostAll({ key }: Tenant): { socket: Socket; answer(): string } {
  const { port } = new URL(api.url)
  const socket = connect(Number(port), '127.0.0.1').on('error', () => {})
  let answer = ''
  socket.on('data', (text) => {
    answer += text
  })
  socket.write(
    `POST ${ROUTES.callEvent} HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\ncontent-type: application/json\r\ncontent-length: ${MIB}\r\n\r\n`,
  )
  socket.write(Buffer.alloc(MIB - 1, ' '))
  return { socket, answer: () => answer }
}

test.runIf(process.platform === 'linux')(
  'bodies in flight keep to their part of the memory',
  async () => {
    const [flood, quiet] = [await platform.newTenant(), await platform.newTenant()]
    const { bodies } = memoryBudget(LIMIT)
    let fits = 0
    while ((fits + 1) * MIB <= 4 * (bodies - fits * MIB)) fits += 1
    const sent = Array.from({ length: 400 }, () => almostAll(flood))
    const refused = () => sent.filter(({ answer }) => answer().startsWith('HTTP/1.1 429')).length
    try {
      await waitUntil('the rest to be refused', () => refused() >= sent.length - fits, { timeoutMs: 30_000 })
      expect(refused()).toBe(sent.length - fits)
      const headers = { 'content-type': 'application/json', 'x-api-key': quiet.key }
      const body = JSON.stringify(anEvent('INITIATED'))
      expect((await fetch(api.url + ROUTES.callEvent, { method: 'POST', headers, body })).status).toBe(201)
      const metrics = await (await fetch(api.url + ROUTES.metrics)).text()
      expect(metrics).toContain(`${METRICS.rejected}{reason="over-share"} ${refused()}`)
    } finally {
      for (const { socket } of sent) socket.destroy()
    }
    expect(mostBytes()).toBeLessThan(LIMIT)
    // What was given up is free again.
    const again = almostAll(flood)
    again.socket.write('x')
    await waitUntil('an answer to the body', () => again.answer().startsWith('HTTP/1.1 400'), { timeoutMs: 10_000 })
    again.socket.destroy()
  },
  60_000,
)

/** @throws {GiveUp} as out of memory, its end is what a wait would never see */
function requireRunning(): void {
  const { exitCode, signalCode } = api.process
  if (exitCode !== null || signalCode !== null)
    throw new GiveUp(new Error(`the instance ended (${exitCode ?? signalCode}): ${api.said().slice(-1_000)}`))
}
const counted = async (metric: string, labels = '') => {
  const text = await (await fetch(api.url + ROUTES.metrics)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${metric}${labels} `))
  return Number(line?.split(' ').at(-1) ?? 0)
}
const headersOf = ({ key }: Tenant) => ({ 'content-type': 'application/json', [HEADERS.apiKey]: key })
const slow = { timeoutMs: 120_000, everyMs: 100 }

/** Whether a part of the memory is what an answer says there is no room in: for its tenant, or for anybody. */
const isFull = (answer: string, part: string) =>
  answer.includes(`bytes of ${part}`) || answer.includes('"code":"memory"')

/** Every number and id as long as may be. */
const longest = (n: number) => ({
  ...anEvent('RINGING'),
  callId: `call ${n} `.padEnd(EVENT_BOUNDS.idMaxLength, 'c'),
  direction: 'inbound' as const,
  from: '+'.padEnd(EVENT_BOUNDS.phoneNumberMaxLength, '4'),
  to: '+'.padEnd(EVENT_BOUNDS.phoneNumberMaxLength, '9'),
})

/** Tenants with a socket each, which reads nothing, are sent more than the parts for unread frames and live history hold. */
async function fillLive(tenants: readonly Tenant[]): Promise<readonly WebSocket[]> {
  const redis = openRedis({ redisUrl: platform.redis.url }, { info: () => {}, warn: () => {} })
  const log = messageLog(redis, { liveHistoryMessages: 1_000, liveHistorySeconds: 300 })
  await waitUntil('Redis to answer', () => redis.isUp(), slow)
  const sockets = await Promise.all(
    tenants.map(async (tenant) => {
      const socket = new WebSocket(api.url.replace('http', 'ws') + ROUTES.live, { headers: headersOf(tenant) })
      socket.on('error', () => {})
      await once(socket, 'open')
      socket.send(JSON.stringify({ type: 'subscribe', patterns: ['call.*'] }))
      await once(socket, 'message')
      socket.pause()
      return socket
    }),
  )
  const messages = Array.from({ length: 500 }, (_, n) => {
    const { eventId, callId, direction, from, to } = longest(n)
    const [at, outcome] = [Date.now(), 'applied' as const]
    return {
      ...{ type: 'call.ringing' as const, eventId, callId, direction, from, to },
      ...{ sequence: 1, occurredAt: at, receivedAt: at, outcome },
    }
  })
  const body = encodeBody(messages)
  // Each keeps the last few thousand messages of its tenant: together more than their part, long before a socket is closed.
  const closed = () => counted(METRICS.liveClosed, '{reason="slow-reader"}')
  let sent = 0
  await waitUntil(
    'unread frames to be too many',
    async () => {
      for (let i = 0; i < 4; i++) {
        const batch = { name: `batch ${++sent}`, count: messages.length, body }
        await Promise.all(tenants.map(({ id }) => log.append(id, [batch])))
      }
      return (await closed()) > 0
    },
    slow,
  )
  await redis.close()
  return sockets
}

/** Asks for them on a connection that reads nothing. */
function askUnread({ key }: Tenant, paths: readonly string[], more = ''): Socket {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1').on('error', () => {})
  socket.pause()
  for (const path of paths) socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${key}\r\n${more}\r\n`)
  return socket
}

/** As many exports as may run at once, in both formats. They stop in the middle, because nobody reads them. */
async function fillExports(tenants: readonly Tenant[]): Promise<readonly Socket[]> {
  // More than the kernel buffers on their way.
  for (const { id } of tenants) await seedCalls(platform.query, id, 200_000)
  await platform.database.replicaCaughtUp()
  const sockets: Socket[] = []
  const types = ['text/csv', 'application/x-ndjson']
  await waitUntil(
    'exports of all to be refused',
    async () => {
      requireRunning()
      const statuses = await Promise.all(tenants.map(exportOf))
      for (const [i, tenant] of tenants.entries()) {
        if (statuses[i] !== 429) sockets.push(askUnread(tenant, [ROUTES.reportCalls], `accept: ${types[i % 2]}\r\n`))
      }
      return statuses.every((status) => status === 429)
    },
    slow,
  )
  return sockets
}

async function exportOf(tenant: Tenant): Promise<number> {
  const headers = { ...headersOf(tenant), accept: 'text/csv' }
  const answer = await fetch(`${api.url}${ROUTES.reportCalls}?limit=1`, { headers })
  await answer.text()
  return answer.status
}

/** Transactions that are open on the replica while no other report is read: those of exports. */
async function openExports(): Promise<number> {
  const replica = new pg.Client({ connectionString: platform.database.replicaUrl })
  await replica.connect()
  const query =
    'select from pg_stat_activity where usename = current_user and xact_start is not null and pid <> pg_backend_pid()'
  return (await replica.query(query).finally(() => replica.end())).rowCount ?? 0
}

/** A call with the most and the longest events: a page of its timeline is the longest answer there is. @returns the path */
async function longTimeline(tenant: Tenant): Promise<string> {
  const callId = longest(0).callId
  const metadata = { note: '📞'.repeat(EVENT_BOUNDS.metadataMaxBytes / 4 - 10) }
  for (let sent = 0; sent < EVENT_BOUNDS.eventsPerCall; sent += 100) {
    const events = Array.from({ length: 100 }, () => ({ ...longest(0), callId, metadata }))
    const body = JSON.stringify({ events })
    const answer = await fetch(api.url + ROUTES.callEvents, { method: 'POST', headers: headersOf(tenant), body })
    expect(answer.status).toBe(200)
    expect(((await answer.json()) as { results: { status: number }[] }).results[0]?.status).toBe(201)
  }
  return ROUTES.call.replace(':callId', encodeURIComponent(callId))
}

/** Timelines and lists, on connections that read nothing, until no more is taken; then the connections are closed. */
async function fillTimelines(tenant: Tenant): Promise<void> {
  const timeline = await longTimeline(tenant)
  await platform.database.replicaCaughtUp()
  const sockets: Socket[] = []
  let asked = 0
  // Each with another limit is another answer.
  const next = () => `${asked % 6 === 5 ? ROUTES.reportCalls : timeline}?limit=${200 - (asked++ % 100)}`
  const refused = async () => {
    const answer = await fetch(api.url + next(), { headers: headersOf(tenant) })
    return isFull(await answer.text(), 'answers')
  }
  await waitUntil(
    'a timeline to be refused',
    async () => {
      requireRunning()
      // The first few of them fit into the buffers of the kernel.
      for (let i = 0; i < 4; i++) sockets.push(askUnread(tenant, Array.from({ length: 18 }, next)))
      return refused()
    },
    slow,
  )
  for (const socket of sockets) socket.destroy()
  await waitUntil('room for timelines', async () => !(await refused()), slow)
}

/** Long reports, each another one, on connections that read nothing, until no more is taken. */
async function fillAnswers(tenants: readonly Tenant[]): Promise<readonly Socket[]> {
  const HOUR = 3_600_000
  const now = Math.floor(Date.now() / HOUR) * HOUR
  let asked = 0
  const path = () => {
    const to = now - (asked % 1_000) * HOUR
    const from = to - (91 * 24 - Math.floor(asked / 1_000)) * HOUR
    asked += 1
    const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
    return `${ROUTES.reportMetrics}?${new URLSearchParams({ granularity: 'hour', ...range })}`
  }
  const sockets: Socket[] = []
  await waitUntil(
    'a report to be refused',
    async () => {
      // The first few of them fit into the buffers of the kernel.
      for (const tenant of tenants) sockets.push(askUnread(tenant, Array.from({ length: 8 }, path)))
      const next = await fetch(api.url + path(), { headers: headersOf(tenants[0]!) })
      return isFull(await next.text(), 'answers')
    },
    slow,
  )
  return sockets
}

/** Batches of an event that waits for the database and of one that is refused, parsed to twenty times its length. */
async function fillBodies(tenants: readonly Tenant[]): Promise<void> {
  const owner = new pg.Client({ connectionString: platform.database.ownerUrl })
  await owner.connect()
  try {
    // Not calls: an export on the replica would be ended for it.
    await owner.query('begin; lock table hopwhistle.call_events in access exclusive mode')
    const before = await counted(METRICS.ingestQueue)
    const waiting = async () => (await counted(METRICS.ingestQueue)) - before
    let posted = 0
    let refused = false
    const answers: Promise<void>[] = []
    const post = async (tenant: Tenant) => {
      const head = `{"events":[${JSON.stringify(longest(++posted))},{"eventId":"e","metadata":{"a":[{}`
      const body = Buffer.from(`${head}${',{}'.repeat((MIB - head.length - 5) / 3)}]}}]}`)
      const answer = await fetch(api.url + ROUTES.callEvents, { method: 'POST', headers: headersOf(tenant), body })
      const text = await answer.text()
      refused ||= isFull(text, 'request bodies')
      expect([200, 429, 503], text).toContain(answer.status)
    }
    await waitUntil(
      'a body to be refused',
      async () => {
        requireRunning()
        for (const tenant of tenants) {
          const answer = post(tenant)
          answer.catch(() => {})
          answers.push(answer)
        }
        return refused
      },
      slow,
    )
    const { bodies } = memoryBudget(LIMIT)
    await waitUntil('what fits to be parsed', async () => (await waiting()) * MIB >= 0.75 * bodies, slow)
    await owner.query('rollback')
    await Promise.all(answers)
  } finally {
    await owner.end()
  }
}

/** As many webhooks as use every request that may be under way. Their receiver answers nothing. @returns closes it */
async function fillWebhooks(tenants: readonly Tenant[]): Promise<() => Promise<void>> {
  const to = await receiver()
  to.answer(() => 'hang')
  const metadata = { note: '📞'.repeat(EVENT_BOUNDS.metadataMaxBytes / 4 - 10) }
  await Promise.all(
    tenants.map(async (tenant) => {
      for (let i = 0; i < 10; i++) {
        const body = JSON.stringify({ url: to.url, patterns: ['call.*'] })
        const made = await fetch(api.url + ROUTES.webhooks, { method: 'POST', headers: headersOf(tenant), body })
        expect(made.status, await made.text()).toBe(201)
      }
    }),
  )
  let sent = 0
  await waitUntil(
    'webhooks to be sent',
    async () => {
      requireRunning()
      const body = () =>
        JSON.stringify({ events: Array.from({ length: 100 }, () => ({ ...longest(1_000_000 + sent++), metadata })) })
      // Others wait for their turn to be read.
      if (sent < tenants.length * 300) {
        const post = (tenant: Tenant) =>
          fetch(api.url + ROUTES.callEvents, { method: 'POST', headers: headersOf(tenant), body: body() })
        for (const answer of await Promise.all(tenants.map(post))) await answer.text()
      }
      return to.busiest() >= 200
    },
    slow,
  )
  return to.close
}

/** Redis does not answer, while more is committed than may wait to be published. */
async function fillPublishing(tenants: readonly Tenant[]): Promise<void> {
  process.kill(platform.redis.pid, 'SIGSTOP')
  try {
    let sent = 0
    const events = () => Array.from({ length: 500 }, () => longest(++sent))
    const failed = () => counted(METRICS.livePublishFailed)
    await waitUntil(
      'publishes to fail',
      async () => {
        await Promise.all(
          tenants.map((tenant) =>
            fetch(api.url + ROUTES.callEvents, {
              method: 'POST',
              headers: headersOf(tenant),
              body: JSON.stringify({ events: events() }),
            }),
          ),
        )
        return (await failed()) > 0
      },
      slow,
    )
  } finally {
    process.kill(platform.redis.pid, 'SIGCONT')
  }
}

test.runIf(process.platform === 'linux')(
  'with every part full at once it stays below its limit, and serves another tenant',
  { timeout: 600_000 },
  async () => {
    const scopes = ['events:write', 'reports:read', 'live:read', 'webhooks:write']
    const tenants = await Promise.all(Array.from({ length: 10 }, () => platform.newTenant(scopes)))
    const quiet = await platform.newTenant()
    const step = (what: string) => expect(mostBytes(), `bytes after ${what}`).toBeLessThan(LIMIT)
    const live = await fillLive(tenants)
    step('unread frames and live history')
    const exports = await fillExports(tenants.slice(4, 6))
    step('exports')
    await fillTimelines(tenants[2]!)
    step('timelines and lists')
    const answers = await fillAnswers(tenants.slice(0, 2))
    step('answers and cached reports')
    await fillBodies(tenants.slice(0, 2))
    step('bodies')
    const closeReceiver = await fillWebhooks(tenants)
    step('webhooks')
    await fillPublishing(tenants)
    step('publishing')
    try {
      const body = JSON.stringify(anEvent('INITIATED'))
      expect(
        (await fetch(api.url + ROUTES.callEvent, { method: 'POST', headers: headersOf(quiet), body })).status,
      ).toBe(201)
      expect((await fetch(`${api.url}${ROUTES.reportCalls}`, { headers: headersOf(quiet) })).status).toBe(200)
      // A report may be under way as well.
      expect(await openExports()).toBeGreaterThanOrEqual(exports.length)
    } finally {
      await closeReceiver()
      for (const socket of exports) socket.destroy()
      for (const socket of live) socket.terminate()
      for (const socket of answers) socket.destroy()
    }
    step('all of it')
  },
)
