/**
 * Every setting of an API instance: parsed once, every problem reported together, by name and never by value.
 * `--help` and docs/configuration.md are written from the same table.
 */
import { hostname, totalmem } from 'node:os'
import { RETENTION_DAYS_MIN } from '@hopwhistle/contract/calls.ts'
import type { LimitName } from '@hopwhistle/contract/limits.ts'
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { DEFAULT_PORT } from '@hopwhistle/contract/routes.ts'
import { parseSecretKeys } from '../access/secret-box.ts'
import { networksProblem } from './networks.ts'
import { pemProblem, urlProblem } from './server-url.ts'

type Kind = 'integer' | 'text' | 'url' | 'flag' | 'origins' | 'pem' | 'networks' | 'keys'

export type SettingSpec = {
  readonly env: string
  readonly kind: Kind
  /** Absent: the setting must be given. `null`: it may be left out. */
  readonly fallback?: string | number | boolean | null
  readonly min?: number
  readonly max?: number
  /** 0 may be given although it is below `min`: it turns off what the setting is about. */
  readonly zeroIsOff?: boolean
  readonly oneOf?: readonly string[]
  readonly protocols?: readonly string[]
  readonly unit?: string
  readonly secret?: boolean
  /** What documents say that it is when left out, where that depends on the machine. */
  readonly shown?: string
  readonly note: string
}

const limit = (name: LimitName) => ({
  env: LIMITS[name].env,
  kind: 'integer' as const,
  fallback: LIMITS[name].value,
  min: 1,
  unit: LIMITS[name].unit,
  note: LIMITS[name].note,
})

/** Node itself, and the garbage of requests, take two fifths of it. */
const MEMORY_LEAST_BYTES = 536_870_912

/** What the process may use, as far as a cgroup limits it. */
function memoryOfContainer(): number {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < totalmem() ? Math.max(limit, MEMORY_LEAST_BYTES) : 805_306_368
}

const POSTGRES = ['postgres:', 'postgresql:']
const REDIS = ['redis:', 'rediss:']

export const SETTINGS = {
  port: {
    env: 'PORT',
    kind: 'integer',
    fallback: DEFAULT_PORT,
    min: 0,
    max: 65535,
    note: 'port of the API; instances on one machine may share it',
  },
  host: { env: 'HOST', kind: 'text', fallback: '0.0.0.0', note: 'address to listen on' },
  reusePort: {
    env: 'REUSE_PORT',
    kind: 'flag',
    fallback: false,
    note: 'true: several instances listen on one port, and the kernel distributes connections among them (Linux)',
  },
  adminPort: {
    env: 'ADMIN_PORT',
    kind: 'integer',
    fallback: null,
    min: 0,
    max: 65535,
    note: 'a second port, for health and metrics of this instance alone',
  },
  publicMetrics: {
    env: 'PUBLIC_METRICS',
    kind: 'flag',
    fallback: true,
    note: 'false: /metrics is only on ADMIN_PORT',
  },
  publicDocs: { env: 'PUBLIC_DOCS', kind: 'flag', fallback: true, note: 'false: no /docs and no /openapi.json' },
  corsOrigins: {
    env: 'CORS_ORIGINS',
    kind: 'origins',
    fallback: '',
    note: 'sites whose pages may call the API from a browser, such as https://app.example.com,https://…; empty: none',
  },
  instanceId: {
    env: 'INSTANCE_ID',
    kind: 'text',
    fallback: hostname(),
    shown: 'the host name',
    note: 'name of this instance in logs',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    kind: 'text',
    fallback: 'info',
    oneOf: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    note: 'lowest level that is logged',
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    kind: 'url',
    protocols: POSTGRES,
    secret: true,
    note: 'the primary, as the role hopwhistle_api, with a host name that follows a failover; for TLS add ?sslmode=verify-full&sslrootcert=FILE',
  },
  databaseReplicaUrl: {
    env: 'DATABASE_REPLICA_URL',
    kind: 'url',
    protocols: POSTGRES,
    fallback: null,
    secret: true,
    note: 'the read replica, or one host name for several replicas; without it, reports read the primary',
  },
  redisUrl: {
    env: 'REDIS_URL',
    kind: 'url',
    protocols: REDIS,
    fallback: 'redis://127.0.0.1:6379',
    secret: true,
    note: 'Redis for live delivery and the report cache; rediss:// for TLS',
  },
  redisCaFile: {
    env: 'REDIS_CA_FILE',
    kind: 'pem',
    fallback: null,
    note: 'PEM file of the CA that signed the certificate of Redis, if Node.js does not know that CA',
  },
  redisClusterNodes: {
    env: 'REDIS_CLUSTER_NODES',
    kind: 'text',
    fallback: null,
    note: 'host:port,host:port of a Redis Cluster; user, password and TLS are taken from REDIS_URL',
  },

  publicUrl: {
    env: 'PUBLIC_URL',
    kind: 'url',
    protocols: ['https:', 'http:'],
    fallback: '',
    note: 'where providers reach the API, with the path that a proxy takes away, such as https://calls.example.com: Twilio signs it. Without it: https:// and the Host header',
  },
  providerSecretsKeys: {
    env: 'PROVIDER_SECRETS_KEY',
    kind: 'keys',
    fallback: null,
    secret: true,
    note: 'encrypts the secrets of providers in the database: 32 random bytes in Base64 (openssl rand -base64 32); while it is replaced, the new one, a comma, the old one. Without it, no callbacks of Twilio and Telnyx',
  },

  postgresConnections: limit('postgres_connections'),
  postgresQueryTimeoutMs: limit('postgres_query_timeout'),
  postgresPool: { ...limit('postgres_pool'), min: 8 },
  redisConnections: limit('redis_connections'),
  redisMemoryBytes: limit('redis_memory'),
  requestsInFlight: limit('requests_in_flight'),
  requestTimeoutMs: limit('request_timeout'),
  websockets: limit('websockets'),
  ingestQueue: limit('ingest_queue'),
  liveSocketBufferBytes: limit('live_socket_buffer'),
  tenantRatePerSecond: limit('tenant_rate'),
  bodyBytes: limit('request_body'),

  memoryBytes: {
    env: 'MEMORY_LIMIT_BYTES',
    kind: 'integer',
    fallback: memoryOfContainer(),
    min: MEMORY_LEAST_BYTES,
    shown: "the container's limit; else 768 MiB",
    unit: 'bytes',
    note: 'what the process may use. Three fifths are divided among request bodies, responses, unread frames, live history and caches. When one of these parts is full: 429 or 503, or the slowest socket is closed',
  },

  ingestBatchMax: {
    env: 'INGEST_BATCH_MAX',
    kind: 'integer',
    fallback: 500,
    min: 1,
    max: 5000,
    unit: 'events',
    note: 'most events committed together',
  },
  ingestBatchWaitMs: {
    env: 'INGEST_BATCH_WAIT_MS',
    kind: 'integer',
    fallback: 8,
    min: 0,
    max: 1000,
    unit: 'ms',
    note: 'longest time an event waits for others to be committed with it; it waits only while others arrive',
  },
  ingestBatchesInFlight: {
    env: 'INGEST_BATCHES_IN_FLIGHT',
    kind: 'integer',
    fallback: 4,
    min: 1,
    max: 64,
    unit: 'batches',
    note: 'batches that are committed at the same time',
  },
  outboxSweepAfterMs: {
    env: 'OUTBOX_SWEEP_AFTER_MS',
    kind: 'integer',
    fallback: 3000,
    min: 100,
    unit: 'ms',
    note: 'age at which any instance publishes a batch that the instance which committed it did not publish',
  },
  eventsKeepAside: {
    env: 'EVENTS_KEEP_ASIDE',
    kind: 'flag',
    fallback: false,
    note: 'true: an event whose time is out of range is stored in a separate table and answered 422 event-kept-aside; false: it is refused with 422 time-out-of-range',
  },
  retentionDays: {
    env: 'RETENTION_DAYS',
    kind: 'integer',
    fallback: RETENTION_DAYS_MIN,
    min: RETENTION_DAYS_MIN,
    max: 36_500,
    zeroIsOff: true,
    unit: 'days',
    note: 'from the last event of a call until the call and its events are deleted; metrics stay. 0: never. A tenant can have its own value: npm run tenants',
  },
  changesRetentionDays: {
    env: 'CHANGES_RETENTION_DAYS',
    kind: 'integer',
    fallback: 7,
    min: 1,
    max: 90,
    unit: 'days',
    note: 'how long the feed of changed calls goes back; a client that asks less often must read the calls again',
  },
  liveTickMs: {
    env: 'LIVE_TICK_MS',
    kind: 'integer',
    fallback: 10,
    min: 0,
    max: 1000,
    unit: 'ms',
    note: 'messages of one tick share a frame; use 30 if subscribers run on the same cores as the platform',
  },
  liveHistoryMessages: {
    env: 'LIVE_HISTORY_MESSAGES',
    kind: 'integer',
    fallback: 100_000,
    min: 0,
    unit: 'messages',
    note: 'kept per tenant for clients that resume',
  },
  liveHistorySeconds: {
    env: 'LIVE_HISTORY_SECONDS',
    kind: 'integer',
    fallback: 300,
    min: 1,
    unit: 's',
    note: 'how long these messages are kept',
  },
  reportWaitMs: {
    env: 'REPORT_WAIT_MS',
    kind: 'integer',
    fallback: 250,
    min: 0,
    unit: 'ms',
    note: 'how long a report with a position waits for the replica before it reads the primary',
  },
  exportLinesMax: {
    env: 'EXPORT_LINES_MAX',
    kind: 'integer',
    fallback: 5_000_000,
    min: 1,
    unit: 'lines',
    note: 'most lines of one export of calls (CSV, NDJSON); the cursor of the last one asks for the rest',
  },
  exportSecondsMax: {
    env: 'EXPORT_SECONDS_MAX',
    kind: 'integer',
    fallback: 300,
    min: 1,
    max: 3_600,
    unit: 's',
    note: 'longest time of one export; then it ends after a whole line, and the cursor asks for the rest. For so long the primary keeps dead rows',
  },
  replicaMaxLagMs: {
    env: 'REPLICA_MAX_LAG_MS',
    kind: 'integer',
    fallback: 10_000,
    min: 100,
    unit: 'ms',
    note: 'a replica that is further behind is not read until it has caught up',
  },
  replicaMaxLagBytes: {
    env: 'REPLICA_MAX_LAG_BYTES',
    kind: 'integer',
    fallback: 67_108_864,
    min: 1,
    unit: 'bytes',
    note: 'the same, as WAL that is not replayed yet',
  },
  reportCallsMax: {
    env: 'REPORT_CALLS_MAX',
    kind: 'integer',
    fallback: 200_000,
    min: 1_000,
    max: 10_000_000,
    unit: 'calls',
    note: 'how many calls a report may read that has filters or groups; one that needs more is refused with 422 report-too-large',
  },
  keyCacheMs: {
    env: 'KEY_CACHE_MS',
    kind: 'integer',
    fallback: 3000,
    min: 0,
    unit: 'ms',
    note: 'how long a revoked key may still work, and a label that is no longer declared',
  },
  webhookKeys: {
    env: 'WEBHOOK_KEYS',
    kind: 'keys',
    fallback: null,
    secret: true,
    note: 'turns webhooks on: keys of 32 bytes in base64 that encrypt the secrets of webhooks in the database, separated by commas. The first encrypts, all decrypt; make one with openssl rand -base64 32',
  },
  webhookAllowHttp: {
    env: 'WEBHOOK_ALLOW_HTTP',
    kind: 'flag',
    fallback: false,
    note: 'true: webhooks may have URLs with http://, which anybody in between can read',
  },
  webhookAllowedNetworks: {
    env: 'WEBHOOK_ALLOWED_NETWORKS',
    kind: 'networks',
    fallback: '',
    note: 'networks that webhooks may be sent to although they are not on the public Internet, such as 10.20.0.0/16,fd00:1::/32',
  },
  webhookDeniedNetworks: {
    env: 'WEBHOOK_DENIED_NETWORKS',
    kind: 'networks',
    fallback: '',
    note: 'networks that webhooks are never sent to, such as public addresses of your own servers',
  },
  webhookTimeoutMs: {
    env: 'WEBHOOK_TIMEOUT_MS',
    kind: 'integer',
    fallback: 10_000,
    min: 100,
    max: 60_000,
    unit: 'ms',
    note: 'in which a webhook must answer. Another instance takes over three times this long after one has died',
  },
  webhookRetryAfterMs: {
    env: 'WEBHOOK_RETRY_AFTER_MS',
    kind: 'integer',
    fallback: 5_000,
    min: 10,
    max: 3_600_000,
    unit: 'ms',
    note: 'pause before the second attempt to deliver an event; it doubles with each further one, up to an hour',
  },
  webhookRetryForMs: {
    env: 'WEBHOOK_RETRY_FOR_MS',
    kind: 'integer',
    fallback: 86_400_000,
    min: 100,
    max: 604_800_000,
    unit: 'ms',
    note: 'how long an event is tried; a webhook to which nothing was delivered for so long is disabled',
  },
  webhookLogHours: {
    env: 'WEBHOOK_LOG_HOURS',
    kind: 'integer',
    fallback: 72,
    min: 1,
    max: 2_160,
    unit: 'hours',
    note: 'how long events can be replayed to webhooks, and how long a disabled one misses nothing',
  },
  shutdownDrainMs: {
    env: 'SHUTDOWN_DRAIN_MS',
    kind: 'integer',
    fallback: 5000,
    min: 0,
    unit: 'ms',
    note: 'after a stop signal, time between "not ready" and closing the port, so that load balancers notice',
  },
  shutdownTimeoutMs: {
    env: 'SHUTDOWN_TIMEOUT_MS',
    kind: 'integer',
    fallback: 25_000,
    min: 100,
    unit: 'ms',
    note: 'after this time, shutdown no longer waits for unfinished work',
  },
} as const satisfies Record<string, SettingSpec>

type Spec = typeof SETTINGS
type Values = {
  integer: number
  text: string
  url: string
  flag: boolean
  pem: string
  networks: readonly string[]
  origins: ReadonlySet<string>
  keys: readonly Buffer[]
}
type ValueOf<S extends SettingSpec> = Values[S['kind']]
export type Settings = {
  readonly [K in keyof Spec]: Spec[K] extends { readonly fallback: null }
    ? ValueOf<Spec[K]> | undefined
    : ValueOf<Spec[K]>
}

/** The environment does not make a valid configuration; the message lists every problem. */
export class InvalidSettings extends Error {
  override readonly name = 'InvalidSettings'
}

/** @throws {InvalidSettings} naming every setting that is missing or wrong, never its value */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = []
  const entries = Object.entries<SettingSpec>(SETTINGS).map(([name, spec]) => {
    const given = env[spec.env]
    if (given === undefined || given === '') {
      if (spec.fallback === undefined) problems.push(`${spec.env} is missing: ${spec.note}`)
      return [name, emptyOf(spec.kind) ?? spec.fallback ?? undefined] as const
    }
    const parsed = PARSERS[spec.kind](given, spec)
    if ('problem' in parsed) problems.push(`${spec.env} ${parsed.problem}`)
    return [name, 'value' in parsed ? parsed.value : undefined] as const
  })
  if (problems.length > 0) throw new InvalidSettings(`the configuration is not valid:\n  ${problems.join('\n  ')}`)
  return Object.freeze(Object.fromEntries(entries)) as Settings
}

/** What a list is that is left out. */
const emptyOf = (kind: Kind) => (kind === 'origins' ? new Set() : kind === 'networks' ? [] : undefined)

type Parsed = { readonly value: unknown } | { readonly problem: string }
const PARSERS: Readonly<Record<Kind, (given: string, spec: SettingSpec) => Parsed>> = {
  integer: (given, spec) => {
    const value = Number(given)
    const min = spec.min ?? Number.MIN_SAFE_INTEGER
    const max = spec.max ?? Number.MAX_SAFE_INTEGER
    if (spec.zeroIsOff && given === '0') return { value }
    if (/^-?\d+$/.test(given) && value >= min && value <= max) return { value }
    return {
      problem: `must be ${spec.zeroIsOff ? '0 or ' : ''}a whole number${spec.min === undefined ? '' : ` from ${min}`}${spec.max === undefined ? '' : ` to ${max}`}`,
    }
  },
  text: (given, spec) =>
    spec.oneOf === undefined || spec.oneOf.includes(given)
      ? { value: given }
      : { problem: `must be one of ${spec.oneOf.join(', ')}` },
  url: (given, spec) => {
    const problem = urlProblem(given, spec.protocols ?? [])
    return problem === undefined ? { value: given } : { problem }
  },
  pem: (given) => {
    const problem = pemProblem(given)
    return problem === undefined ? { value: given } : { problem: `is ${given}, which ${problem}` }
  },
  origins: (given) => {
    const origins = given.split(',').map((one) => one.trim())
    const wrong = origins.some((one) => !URL.canParse(one) || !/^https?:\/\//.test(one) || new URL(one).origin !== one)
    if (!wrong) return { value: new Set(origins) }
    return { problem: 'must be origins as browsers send them: https://app.example.com, no path, separated by commas' }
  },
  networks: (given) => {
    const networks = given.split(',').map((one) => one.trim())
    const problem = networksProblem(networks)
    return problem === undefined ? { value: networks } : { problem }
  },
  keys: (given) => {
    const value = parseSecretKeys(given)
    return value === undefined
      ? { problem: 'must be keys of 32 bytes in Base64, separated by commas: openssl rand -base64 32' }
      : { value }
  },
  flag: (given) =>
    given === 'true' || given === 'false' ? { value: given === 'true' } : { problem: 'must be true or false' },
}

/** One row of the table of settings: its variable, what it is when it is left out, and what it does. */
export type SettingRow = readonly [env: string, fallback: string, note: string]

export function settingRows(): readonly SettingRow[] {
  return Object.values<SettingSpec>(SETTINGS).map((s) => {
    const shown = s.shown ?? (s.fallback === '' ? 'none' : `${s.fallback}${s.unit === undefined ? '' : ` ${s.unit}`}`)
    const fallback = s.fallback === undefined ? 'required' : s.fallback === null ? 'optional' : shown
    return [s.env, fallback, s.note]
  })
}

/** The table of settings for `--help`, a line each. */
export function describeSettings(): string {
  const rows = settingRows()
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length))
  return rows
    .map(([env, fallback, note]) => `  ${env.padEnd(width(0))}  ${fallback.padEnd(width(1))}  ${note}`)
    .join('\n')
}

/** docs/configuration.md. */
export function settingsDocument(): string {
  const rows = settingRows().map(([env, fallback, note]) => `| \`${env}\` | ${fallback} | ${note} |`)
  return `# Configuration

An instance of the API reads these environment variables when it starts. If some are missing or wrong, it names all of
them and exits with code 2. \`npm run tenants\` and \`npm run keys\` set what differs between tenants and keys. This page
is generated by \`npm run docs:configuration\`.

| variable | default | what it does |
| --- | --- | --- |
${rows.join('\n')}
`
}
