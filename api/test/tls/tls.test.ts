import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { newKey } from '../../src/access/new-key.ts'
import { compose, type Instance } from '../../src/compose.ts'
import { parseSettings } from '../../src/config/settings.ts'
import { openRedis } from '../../src/redis/open-redis.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { anEvent, get, post, type Running } from '../platform/running-platform.ts'
import { startTlsServers, type TlsServers } from './tls-servers.ts'

/** It stops at the first setting that it does not understand, and names it. */
const redis = spawnSync('redis-server', ['--tls-port', '0', '--maxmemory', 'wrong'], { encoding: 'utf8' })
const missing = [
  ...(spawnSync('openssl', ['version']).status === 0 ? [] : ['openssl']),
  ...(/maxmemory/.test(`${redis.stdout}${redis.stderr}`) ? [] : ['a redis-server with TLS']),
]
const why = missing.length === 0 ? '' : ` (skipped: ${missing.join(' and ')} missing)`

describe.skipIf(missing.length > 0)(`TLS to Postgres and Redis${why}`, () => {
  let servers: TlsServers
  let owner: pg.Client
  const instances: Instance[] = []
  beforeAll(async () => {
    servers = await startTlsServers()
    owner = await connectPostgres(servers.urls.owner)
  })
  afterAll(async () => {
    await Promise.all(instances.map((instance) => instance.close()))
    await servers?.stop()
  })

  async function running(env: Record<string, string> = {}): Promise<Running> {
    const settings = parseSettings({
      PORT: '0',
      HOST: '127.0.0.1',
      DATABASE_URL: servers.urls.primary,
      DATABASE_REPLICA_URL: servers.urls.replica,
      REDIS_URL: servers.urls.redis,
      REDIS_CA_FILE: servers.ca,
      SHUTDOWN_DRAIN_MS: '0',
      ...env,
    })
    const instance = await compose(settings, createLog({ level: 'silent', instanceId: 'tls' }))
    instances.push(instance)
    const { port } = await instance.listen()
    instance.health.ready()
    return { instance, url: `http://127.0.0.1:${port}`, adminUrl: '' }
  }
  const dependencies = async (at: Running) => (await get(at, ROUTES.health)).body.dependencies
  const soon = { timeout: 10_000 }

  test('an instance writes, reads its write from the replica and reaches Redis, all of it over TLS', async () => {
    const { key, keyHash } = newKey()
    const tenantId = randomUUID()
    await owner.query(`insert into hopwhistle.tenants (id, name) values ($1, 'TLS')`, [tenantId])
    await owner.query(
      `insert into hopwhistle.api_keys (tenant_id, name, key_hash, scopes) values ($1, 'k', $2, '{events:write,reports:read}')`,
      [tenantId, keyHash],
    )
    const at = await running()
    await expect.poll(() => dependencies(at), soon).toEqual({ postgres: true, replica: true, redis: true })
    const event = anEvent('INITIATED')
    const { status, body } = await post(at, event, key)
    expect(status).toBe(201)
    const call = await get(at, `/api/v1/calls/${event.callId}`, key, { [HEADERS.position]: body.position })
    expect(call.status).toBe(200)
    const { rows } = await owner.query<{ ssl: boolean; connections: number }>(
      `select ssl, count(*)::int as connections from pg_stat_ssl join pg_stat_activity using (pid)
       where application_name like 'hopwhistle-api%' group by ssl`,
    )
    expect(rows).toEqual([{ ssl: true, connections: expect.any(Number) }])
  })

  test('Redis answers nobody who does not speak TLS', async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(servers.urls.redis).port), '127.0.0.1', () => socket.write('PING\r\n'))
      let said = ''
      socket.on('data', (data) => {
        said += data
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(said))
    })
    expect(answer).not.toContain('PONG')
  })

  test('servers whose certificate somebody else has signed, or for another name, are not believed', async () => {
    const wrongCa = (url: string) => url.replace(encodeURIComponent(servers.ca), encodeURIComponent(servers.otherCa))
    const deceived = await running({
      DATABASE_URL: wrongCa(servers.urls.primary),
      DATABASE_REPLICA_URL: wrongCa(servers.urls.replica),
      REDIS_CA_FILE: servers.otherCa,
    })
    const misnamed = await running({
      DATABASE_URL: servers.urls.primary.replace('127.0.0.1', '127.0.0.2'),
      DATABASE_REPLICA_URL: '',
    })
    expect((await post(deceived, anEvent('INITIATED'), 'any')).body).toMatchObject({ code: 'database-unavailable' })
    expect((await post(misnamed, anEvent('INITIATED'), 'any')).body).toMatchObject({ code: 'database-unavailable' })
    expect(await dependencies(deceived)).toEqual({ postgres: false, replica: false, redis: false })
    expect(await dependencies(misnamed)).toMatchObject({ postgres: false, redis: true })
  })

  test('a connection to a Redis that is not believed can be given up at any moment', async () => {
    const uncaught: Error[] = []
    const keep = (error: Error) => uncaught.push(error)
    process.on('uncaughtExceptionMonitor', keep)
    for (let i = 0; i < 60; i++) {
      const settings = { redisUrl: servers.urls.redis, redisCaFile: servers.otherCa }
      const connections = openRedis(settings, createLog({ level: 'silent', instanceId: 'tls' }))
      await sleep(i % 8)
      await connections.close()
    }
    await sleep(100)
    process.off('uncaughtExceptionMonitor', keep)
    expect(uncaught).toEqual([])
  })
})
