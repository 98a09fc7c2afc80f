import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ClusterNode, ClusterOptions, RedisOptions } from 'ioredis'
import { TlsConnector } from './tls-connector.ts'

/** Where Redis is, and what protects a caller from one that does not answer. */
export type RedisSettings = {
  readonly redisUrl: string
  /** `host:port,host:port`; user, password and TLS are then taken from `redisUrl`. */
  readonly redisClusterNodes?: string | undefined
  /** PEM file of who signs the certificates of `rediss:` servers; absent: whom Node trusts. */
  readonly redisCaFile?: string | undefined
  /** Names the connections in `CLIENT LIST`. */
  readonly instanceId?: string
}

/** A command without an answer fails after this; nobody waits for Redis longer. */
export const COMMAND_TIMEOUT_MS = 2_000
export const CONNECT_TIMEOUT_MS = 3_000
/** A connection that was asked and says nothing for this long is taken for dead and replaced. */
export const SILENCE_MAX_MS = 3_000

const RECONNECT_FIRST_MS = 50
const RECONNECT_MAX_MS = 2_000

/** Milliseconds until the next attempt to connect: doubling, never giving up, and never all instances at once. */
export function reconnectDelayMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(RECONNECT_MAX_MS, RECONNECT_FIRST_MS * 2 ** Math.min(attempt - 1, 10))
  return Math.round(ceiling * (0.5 + random() / 2))
}

/** @throws when the file of the CA cannot be read */
function tlsOptions(host: string, caFile: string | undefined) {
  return {
    // An address has no name to be asked by; that the certificate is for it is checked all the same.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
  }
}

/** Options of one connection. Nothing is queued while it is down: a command fails at once, and is never sent twice. */
export function connectionOptions(settings: RedisSettings, role: 'commands' | 'subscriber') {
  const url = new URL(settings.redisUrl)
  const database = Number(url.pathname.slice(1))
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return {
    host,
    port: url.port === '' ? 6379 : Number(url.port),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(Number.isInteger(database) ? { db: database } : {}),
    ...(url.protocol === 'rediss:' ? { tls: tlsOptions(host, settings.redisCaFile), Connector: TlsConnector } : {}),
    connectionName: `hopwhistle-${role}-${settings.instanceId ?? 'api'}`.replace(/[^\w.:-]/g, '_'),
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENCE_MAX_MS,
    keepAlive: 10_000,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: role === 'commands',
    // The watchdog's question must not wait behind a pipeline that hangs.
    autoPipeliningIgnoredCommands: ['ping'],
    // Who subscribes again must know when that is done: see standalone-subscriber.ts.
    autoResubscribe: false,
    retryStrategy: (attempt: number) => reconnectDelayMs(attempt),
    reconnectOnError: isFirstFromDemoted(),
  } satisfies RedisOptions
}

/**
 * A demoted primary keeps its connections and refuses every write: then look for the new one. Once for all that it refuses
 * together, because each time adds a listener and a timer to the connection that is being closed.
 */
function isFirstFromDemoted(): (error: Error) => boolean {
  let lastMs = Number.NEGATIVE_INFINITY
  return ({ message }) => {
    const now = performance.now()
    if (!message.startsWith('READONLY') || now - lastMs < RECONNECT_MAX_MS) return false
    lastMs = now
    return true
  }
}

/** Undefined when Redis is not a cluster. */
export function clusterNodes(settings: RedisSettings): ClusterNode[] | undefined {
  const nodes = (settings.redisClusterNodes ?? '')
    .split(',')
    .map((node) => node.trim())
    .filter((node) => node !== '')
    .map((node) => {
      const [, host = node, port = '6379'] = /^\[?(.+?)\]?(?::(\d+))?$/.exec(node) ?? []
      return { host, port: Number(port) }
    })
  return nodes.length === 0 ? undefined : nodes
}

/** The same promises for a cluster; each node's connection has the timeouts of a single server's. */
export function clusterOptions(settings: RedisSettings, role: 'commands' | 'subscriber') {
  const {
    host: _host,
    port: _port,
    db: _db,
    retryStrategy: _retry,
    ...redisOptions
  } = connectionOptions(settings, role)
  return {
    redisOptions: { ...redisOptions, enableAutoPipelining: false },
    enableOfflineQueue: false,
    enableAutoPipelining: role === 'commands',
    autoPipeliningIgnoredCommands: ['ping'],
    shardedSubscribers: role === 'subscriber',
    clusterRetryStrategy: (attempt: number) => reconnectDelayMs(attempt),
    maxRedirections: 8,
    slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
  } satisfies ClusterOptions
}
