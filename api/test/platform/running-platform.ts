import { hash, randomUUID } from 'node:crypto'
import type { CallEventBody, CallState } from '@hopwhistle/contract/calls.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import pg from 'pg'
import { freshDatabase, type TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { type FreshRedis, freshRedis } from '../../../platform/test-support/fresh-redis.ts'
import type { Instance } from '../../src/compose.ts'
import { compose } from '../../src/compose.ts'
import { parseSettings } from '../../src/config/settings.ts'
import { createLog } from '../../src/telemetry/log.ts'

export type Tenant = { readonly id: string; readonly key: string }
export type Running = { readonly url: string; readonly adminUrl: string; readonly instance: Instance }

export type Platform = {
  readonly database: TestDatabase
  readonly redis: FreshRedis
  readonly instances: readonly Running[]
  /** As the superuser, past row-level security. */
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>
  newTenant(scopes?: readonly string[]): Promise<Tenant>
  close(): Promise<void>
}

/** Whole instances of the API, composed as in production, on a database and a Redis of their own. */
export async function runningPlatform(
  count = 1,
  env: Readonly<Record<string, string>> = {},
  given?: TestDatabase,
): Promise<Platform> {
  const [database, redis] = await Promise.all([given ?? freshDatabase(), freshRedis()])
  const superuser = new pg.Pool({ connectionString: database.ownerUrl, max: 2 })
  superuser.on('error', () => {})
  const instances = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const settings = parseSettings({
        PORT: '0',
        HOST: '127.0.0.1',
        ADMIN_PORT: '0',
        INSTANCE_ID: `test-${i}`,
        LOG_LEVEL: 'silent',
        DATABASE_URL: database.apiUrl,
        DATABASE_REPLICA_URL: database.replicaUrl,
        REDIS_URL: redis.url,
        SHUTDOWN_DRAIN_MS: '0',
        ...env,
      })
      const instance = await compose(settings, createLog({ level: 'silent', instanceId: settings.instanceId }))
      const { port, adminPort } = await instance.listen()
      instance.health.ready()
      return { instance, url: `http://127.0.0.1:${port}`, adminUrl: `http://127.0.0.1:${adminPort}` }
    }),
  )
  return {
    database,
    redis,
    instances,
    query: async (text, values = []) => (await superuser.query(text, values)).rows,
    newTenant: async (scopes = ['events:write', 'reports:read', 'live:read']) => {
      const tenant = { id: randomUUID(), key: `test-${randomUUID()}` }
      await superuser.query('insert into hopwhistle.tenants (id, name) values ($1, $2)', [tenant.id, 'a tenant'])
      await superuser.query(
        'insert into hopwhistle.api_keys (tenant_id, name, key_hash, scopes) values ($1, $2, $3, $4)',
        [tenant.id, 'a key', hash('sha256', tenant.key, 'buffer'), scopes],
      )
      return tenant
    },
    close: async () => {
      await Promise.all(instances.map(({ instance }) => instance.close()))
      await superuser.end()
    },
  }
}

export type Answer = {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects of a body
  readonly body: any
}

export async function get(
  at: Running,
  path: string,
  key?: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(at.url + path, {
    headers: { ...(key === undefined ? {} : { 'x-api-key': key }), ...headers },
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return { status: response.status, headers: response.headers, body: isJson && text !== '' ? JSON.parse(text) : text }
}

export async function post(at: Running, body: unknown, key?: string, path: string = ROUTES.callEvent): Promise<Answer> {
  const response = await fetch(at.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'x-api-key': key }) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

export function anEvent(state: CallState, given: Partial<CallEventBody> = {}): CallEventBody {
  return { eventId: randomUUID(), callId: randomUUID(), state, occurredAt: new Date().toISOString(), ...given }
}
