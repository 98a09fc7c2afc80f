import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { LIVE_CLIENT_BOUNDS, LIVE_SUBPROTOCOL } from '@hopwhistle/contract/live.ts'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Authenticator } from '../access/authenticator.ts'
import type { Principal } from '../access/principal.ts'
import { createTally } from '../access/tally.ts'
import type { MemoryBudget } from '../config/memory-budget.ts'
import {
  Internal,
  LiveUnavailable,
  MalformedRequest,
  OverShare,
  ShuttingDown,
  TooManySockets,
} from '../errors/catalogue.ts'
import { Problem } from '../errors/problem.ts'
import { endWithProblem } from '../http/problem-on-connection.ts'
import type { MessageLogSettings } from '../redis/message-log.ts'
import { messageLog } from '../redis/message-log.ts'
import type { RedisConnections } from '../redis/open-redis.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createHeartbeat } from './heartbeat.ts'
import { createHistoryBudget } from './history-budget.ts'
import { createHubs } from './hubs.ts'
import type { LiveSocket } from './live-socket.ts'
import { liveSocket } from './live-socket.ts'
import { publishTick } from './publish-tick.ts'
import type { PublishLive } from './publisher.ts'
import { createPublisher } from './publisher.ts'
import { refuse } from './refuse.ts'
import { watchKeys } from './revocation.ts'
import { createSession } from './session.ts'
import { watchUnread } from './unread-watch.ts'
import { admit } from './upgrade.ts'

export type { LiveBatch, PublishLive } from './publisher.ts'

export type LiveSettings = MessageLogSettings & {
  /** Most sockets of this instance. */
  readonly websockets: number
  readonly liveSocketBufferBytes: number
  readonly liveTickMs: number
}

export type LiveDependencies = {
  readonly redis: RedisConnections
  readonly metrics: Metrics
  readonly settings: LiveSettings
  readonly memory: Pick<MemoryBudget, 'history' | 'unread' | 'publishing'>
  readonly log: Log
  readonly authenticator: Authenticator
}

/**
 * Live delivery of one instance.
 *
 * open ──drain()──▶ draining ──last socket closed──▶ drained
 *
 * open      accepts sockets
 * draining  refuses new ones with 503 and closes the others with 1012, a few at a time, so that the instances they
 *           go to are not overrun; those that are left still get their messages
 * drained   no sockets; publishing still works, for what is being committed
 */
export type Live = {
  readonly publish: PublishLive
  /** The listener for the HTTP server's `upgrade`. Answers every request that it gets. */
  handleUpgrade(request: IncomingMessage, connection: Duplex, head: Buffer): void
  /** Sockets that are open or being opened. */
  sockets(): number
  /** Bytes that the slowest reader has yet to read. */
  mostUnread(): number
  /** Bytes of memory that are taken, of what the budget has for each. */
  memory(): { readonly unread: number; readonly history: number }
  /** @param withinMs over how long the sockets are closed */
  drain(withinMs?: number): Promise<void>
}

const PING_EVERY_MS = 25_000
const DRAIN_WITHIN_MS = 3_000
/** A few sockets need no long farewell. */
const DRAIN_MS_PER_SOCKET = 10
const FAREWELL_MS = 1_200
const REDIS_BACK_WITHIN_MS = 1_000

export function createLive({ redis, metrics, settings, memory, log, authenticator }: LiveDependencies): Live {
  const messages = messageLog(redis, settings)
  const history = createHistoryBudget(memory.history)
  const hubs = createHubs({ log: messages, tickMs: settings.liveTickMs, metrics, budget: history })
  const heartbeat = createHeartbeat<Connected>(PING_EVERY_MS)
  const keys = watchKeys<Connected>((keyId) => authenticator.stillValid(keyId))
  const unread = watchUnread(memory.unread)
  const connected = new Set<Connected>()
  /** The oldest first. */
  const byTenant = new Map<string, Connected[]>()
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: LIVE_CLIENT_BOUNDS.messageMaxBytes,
    handleProtocols: (offered) => (offered.has(LIVE_SUBPROTOCOL) ? LIVE_SUBPROTOCOL : false),
  })
  // Its own answer has no problem in it.
  server.on('wsClientError', (error, connection) => endWithProblem(connection, MalformedRequest(error.message)))
  let opening = 0
  let nextId = 0
  let draining = false

  type Connected = {
    readonly keyId: string
    readonly socket: LiveSocket
    readonly closed: Promise<void>
    ping(): void
    cut(): void
    revoked(): void
  }

  async function open(request: IncomingMessage, connection: Duplex, head: Buffer): Promise<void> {
    if (draining) throw ShuttingDown()
    // Whose they are is not known yet; each is decided in a moment.
    if (opening >= settings.websockets) throw refused(TooManySockets(settings.websockets))
    opening += 1
    try {
      const principal = await admit(request, authenticator)
      if (!(await isUpSoon(redis))) throw LiveUnavailable()
      if (connection.destroyed) return
      await findRoom(principal.tenantId)
      if (draining) throw ShuttingDown()
      if (connection.destroyed) return
      server.handleUpgrade(request, connection, head, (ws) => serve(ws, connection, principal))
    } finally {
      opening -= 1
    }
  }

  /** Some may come while one of them waits for room: they count as if they were here. */
  const arriving = createTally()
  async function findRoom(tenantId: string): Promise<void> {
    if (connected.size < settings.websockets) return
    arriving.add(tenantId, 1)
    try {
      while (connected.size >= settings.websockets) await makeRoom(tenantId)
    } finally {
      arriving.add(tenantId, -1)
    }
  }
  const ofTenant = (tenantId: string): readonly Connected[] => byTenant.get(tenantId) ?? []
  function refused(problem: Problem): Problem {
    metrics.rejected.inc({ reason: problem.code })
    return problem
  }
  /**
   * Closes the newest socket of the tenant that has the most, to make room for a tenant that has fewer. So one tenant may use
   * every place while nobody else wants one.
   *
   * @throws {OverShare} no tenant has more @throws {TooManySockets} the others have no more than is their share
   */
  async function makeRoom(tenantId: string): Promise<void> {
    const open = [...byTenant.values()].map((sockets) => sockets.filter(({ socket }) => socket.isOpen()))
    const most = open.reduce((a, b) => (b.length > a.length ? b : a), [])
    const own = ofTenant(tenantId).length + arriving.of(tenantId)
    if (most.length <= own) throw refused(own > 1 ? OverShare('live sockets') : TooManySockets(settings.websockets))
    const newest = most.at(-1)
    newest?.socket.close('over-share')
    await newest?.closed
  }

  function serve(ws: WebSocket, connection: Duplex, { keyId, tenantId, endsAtMs }: Principal): void {
    nextId += 1
    const socket = liveSocket(ws, connection, {
      id: nextId,
      keyId,
      tenantId,
      bufferMaxBytes: settings.liveSocketBufferBytes,
    })
    const { promise: closed, resolve: isClosed } = Promise.withResolvers<void>()
    const one: Connected = {
      keyId,
      socket,
      closed,
      ping: () => ws.ping(),
      cut: socket.cut,
      revoked: () => socket.close('unauthorized'),
    }
    const hub = hubs.enter(tenantId)
    const session = createSession(socket, hub, metrics)
    connected.add(one)
    byTenant.set(tenantId, [...ofTenant(tenantId), one])
    heartbeat.add(one)
    unread.add(socket)
    keys.add(one)
    metrics.liveSockets.set(connected.size)

    const ended =
      endsAtMs === undefined ? undefined : setTimeout(() => socket.close('unauthorized'), endsAtMs - Date.now()).unref()
    ws.on('message', (data, isBinary) => {
      heartbeat.heard(one)
      session.onMessage(isBinary ? undefined : String(data))
    })
    ws.on('ping', () => {
      heartbeat.heard(one)
      session.onControlFrame()
    })
    ws.on('pong', () => heartbeat.heard(one))
    // Protocol errors and resets; `ws` closes by itself, and unheard they would end the process.
    ws.on('error', (error) => log.debug({ err: error, socket: socket.id }, 'live socket failed'))
    ws.once('close', () => {
      clearTimeout(ended)
      hub.fanOut.remove(socket)
      hubs.leave(tenantId)
      connected.delete(one)
      const others = ofTenant(tenantId).filter((other) => other !== one)
      if (others.length > 0) byTenant.set(tenantId, others)
      else byTenant.delete(tenantId)
      heartbeat.remove(one)
      unread.remove(socket)
      keys.remove(one)
      metrics.liveSockets.set(connected.size)
      const reason = socket.endReason()
      metrics.liveClosed.inc({ reason })
      // The one close that somebody has to do something about, and only the owner of the key can.
      if (reason === 'slow-reader')
        log.warn({ key: keyId, socket: socket.id }, 'closed a subscriber that does not keep up')
      isClosed()
    })
  }

  return {
    publish: createPublisher(messages, publishTick(settings.liveTickMs), metrics, memory.publishing),
    handleUpgrade: (request, connection, head) => {
      // Until `ws` listens: a connection that breaks now is nobody's error.
      connection.on('error', () => {})
      open(request, connection, head).catch((error: unknown) => {
        if (!(error instanceof Problem)) log.error({ err: error }, 'upgrade failed')
        refuse(server, request, connection, head, error instanceof Problem ? error : Internal())
      })
    },
    sockets: () => connected.size + opening,
    memory: () => ({ unread: unread.bytes(), history: history.bytes() }),
    mostUnread: () => {
      let most = 0
      for (const { socket } of connected) most = Math.max(most, socket.unread())
      return most
    },
    drain: async (withinMs = DRAIN_WITHIN_MS) => {
      draining = true
      const leaving = [...connected].sort(() => Math.random() - 0.5)
      const everyMs = Math.min(withinMs / Math.max(1, leaving.length), DRAIN_MS_PER_SOCKET)
      const startedAt = Date.now()
      for (const [index, { socket }] of leaving.entries()) {
        const waitMs = startedAt + index * everyMs - Date.now()
        if (waitMs >= 1) await sleep(waitMs)
        socket.close('restart')
      }
      for (const until = Date.now() + FAREWELL_MS; connected.size > 0 && Date.now() < until; ) await sleep(10)
      for (const { socket } of connected) socket.cut()
      heartbeat.stop()
      unread.stop()
      keys.stop()
      hubs.close()
    },
  }
}

/** A reconnect takes a moment: not worth refusing anyone. */
async function isUpSoon(redis: Pick<RedisConnections, 'isUp'>): Promise<boolean> {
  for (const until = Date.now() + REDIS_BACK_WITHIN_MS; !redis.isUp() && Date.now() < until; ) await sleep(10)
  return redis.isUp()
}
