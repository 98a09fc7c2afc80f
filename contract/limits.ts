import { METRICS } from './metrics.ts'

/**
 * Every limit of the platform: each is enforced, set by the environment variable named, and exported as
 * `hopwhistle_limit{resource}`, next to `hopwhistle_usage{resource}`.
 */
export type Limit = {
  readonly value: number
  readonly unit: 'connections' | 'ms' | 'bytes' | 'requests' | 'sockets' | 'events' | 'events/s'
  /** Whose limit it is: one API instance's, or the whole server's behind it. */
  readonly scope: 'instance' | 'server' | 'tenant'
  readonly env: string
  readonly note: string
}

export const LIMITS = {
  postgres_connections: {
    value: 100,
    unit: 'connections',
    scope: 'server',
    env: 'POSTGRES_MAX_CONNECTIONS',
    note: 'all clients of the primary together; the API shows its use, Postgres enforces it',
  },
  postgres_query_timeout: {
    value: 30_000,
    unit: 'ms',
    scope: 'instance',
    env: 'POSTGRES_QUERY_TIMEOUT_MS',
    note: 'longest time of one statement; some statements have a shorter limit',
  },
  postgres_pool: {
    value: 20,
    unit: 'connections',
    scope: 'instance',
    env: 'POSTGRES_POOL_SIZE',
    note: 'per instance; ingest, reports and upkeep each have their own part',
  },
  redis_connections: {
    value: 10_000,
    unit: 'connections',
    scope: 'server',
    env: 'REDIS_MAX_CLIENTS',
    note: 'all clients of Redis together, two for each API instance; the API shows its use, Redis enforces it',
  },
  redis_memory: {
    value: 2_147_483_648,
    unit: 'bytes',
    scope: 'server',
    env: 'REDIS_MAX_MEMORY_BYTES',
    note: 'maxmemory of Redis, for report cache and live history; the API shows its use, Redis enforces it',
  },
  requests_in_flight: {
    value: 1_000,
    unit: 'requests',
    scope: 'instance',
    env: 'MAX_REQUESTS_IN_FLIGHT',
    note: 'per instance, and for one tenant at most four times the number still free; above that 429, or 503 if other tenants use them',
  },
  request_timeout: {
    value: 30_000,
    unit: 'ms',
    scope: 'instance',
    env: 'REQUEST_TIMEOUT_MS',
    note: 'from the first byte of a request to its response; then 503',
  },
  websockets: {
    value: 1_000,
    unit: 'sockets',
    scope: 'instance',
    env: 'MAX_WEBSOCKETS',
    note: 'per instance; when all are used, the tenant with most sockets loses one to a tenant with fewer, or the upgrade is answered 429 or 503',
  },
  ingest_queue: {
    value: 10_000,
    unit: 'events',
    scope: 'instance',
    env: 'INGEST_QUEUE_MAX',
    note: 'events waiting for their commit, of one tenant at most four times the room still free; above that 429, or 503 if they belong to other tenants',
  },
  live_socket_buffer: {
    value: 1_048_576,
    unit: 'bytes',
    scope: 'instance',
    env: 'LIVE_SOCKET_BUFFER_BYTES',
    note: 'what one subscriber may leave unread; above that its socket is closed with 4008',
  },
  tenant_rate: {
    value: 10_000,
    unit: 'events/s',
    scope: 'tenant',
    env: 'TENANT_RATE_PER_SECOND',
    note: 'of one tenant, over all instances, unless the tenant has its own rate; any other request counts as one event; above that 429 with Retry-After',
  },
  request_body: {
    value: 1_048_576,
    unit: 'bytes',
    scope: 'instance',
    env: 'MAX_BODY_BYTES',
    note: 'largest request body; above that 413',
  },
} as const satisfies Record<string, Limit>

export type LimitName = keyof typeof LIMITS

/** The tables of limits, by whose they are, as boards and documents show them. A test holds that none is left out. */
export const LIMIT_TABLES = {
  postgres: ['postgres_connections', 'postgres_query_timeout', 'postgres_pool'],
  redis: ['redis_connections', 'redis_memory'],
  api: [
    'requests_in_flight',
    'request_timeout',
    'websockets',
    'ingest_queue',
    'live_socket_buffer',
    'tenant_rate',
    'request_body',
  ],
} as const satisfies Record<string, readonly LimitName[]>

/**
 * How much of a limit was used, wherever it is said: of all instances that report it the highest, and of all the time
 * that is looked at the highest again. A server's use is reported by each of them, and is one.
 */
export const LIMIT_USE = { limit: METRICS.limit, usage: METRICS.usage, label: 'resource', of: 'max' } as const
