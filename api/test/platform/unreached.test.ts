import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { freePort } from '../../../platform/machine/free-port.ts'
import { freshDatabase, type TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { type FreshRedis, freshRedis } from '../../../platform/test-support/fresh-redis.ts'
import { startTcpProxy } from '../../../platform/test-support/tcp-proxy.ts'
import { type ApiProcess, startApi } from './api-process.ts'

const WITHIN = { timeoutMs: 30_000, everyMs: 50 }
vi.setConfig({ testTimeout: 60_000 })

let database: TestDatabase
let redis: FreshRedis
beforeAll(async () => {
  ;[database, redis] = await Promise.all([freshDatabase(), freshRedis()])
})

async function start(env: Record<string, string>): Promise<ApiProcess> {
  const api = await startApi({ database, redis }, env)
  onTestFinished(() => void api.process.kill('SIGKILL'))
  return api
}
const exit = (api: ApiProcess) => waitUntil('its end', () => api.process.exitCode !== null, WITHIN)
const linesOf = (api: ApiProcess) =>
  api
    .said()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
const says = (api: ApiProcess, wanted: Record<string, unknown>) =>
  waitUntil(
    `a line with ${JSON.stringify(wanted)} in\n${api.said()}`,
    () => linesOf(api).some((line) => Object.entries(wanted).every(([name, value]) => line[name] === value)),
    WITHIN,
  )
async function status(api: ApiProcess, path: string): Promise<string> {
  const response = await fetch(api.url + path).catch(() => undefined)
  return response === undefined ? 'none' : `${response.status} ${(await response.text()).trim()}`
}
const isServing = (api: ApiProcess) =>
  waitUntil('the API to serve', async () => (await status(api, ROUTES.livez)) === '200 ok', WITHIN)

function changed(url: string, change: (url: URL) => void): string {
  const other = new URL(url)
  change(other)
  return other.href
}

const UNREACHED: readonly (readonly [string, (url: URL) => void, string])[] = [
  [
    'a wrong password',
    (url) => {
      url.password = 'wrong'
    },
    'it does not accept the user or the password',
  ],
  [
    'an unknown host',
    (url) => {
      url.hostname = 'no-such-host.invalid'
    },
    'nobody knows a host of that name',
  ],
  [
    'a port where nothing listens',
    (url) => {
      url.port = '1'
    },
    'nothing listens there',
  ],
  [
    'an unknown database',
    (url) => {
      url.pathname = '/nowhere'
    },
    'it has no such database',
  ],
  ['TLS that the server has not', (url) => url.searchParams.set('sslmode', 'verify-full'), 'it does not offer TLS'],
]

test.each(UNREACHED)(
  'with %s of the primary it is not ready, and says at once which setting, why, and what to do',
  async (_, change, reason) => {
    const api = await start({ DATABASE_URL: changed(database.apiUrl, change) })
    await says(api, { level: 50, setting: 'DATABASE_URL', reason })
    await isServing(api)
    expect(await status(api, ROUTES.readyz)).toBe('503 DATABASE_URL was never reached; the log says why')
    expect(api.said()).not.toContain(new URL(database.apiUrl).password)
  },
)

test('it is ready as soon as it reaches its database, and stays ready when that goes away again', async () => {
  const proxy = await startTcpProxy(database.postgres.primaryPort)
  onTestFinished(() => proxy.close())
  proxy.set('cut')
  const api = await start({ DATABASE_URL: proxy.through(database.apiUrl), DATABASE_REPLICA_URL: '' })
  await isServing(api)
  expect(await status(api, ROUTES.readyz)).toMatch(/^503/)
  proxy.set('open')
  await waitUntil('ready', async () => (await status(api, ROUTES.readyz)) === '200 serving', WITHIN)
  proxy.set('cut')
  await waitUntil('the outage', async () => (await status(api, ROUTES.health)).startsWith('503'), WITHIN)
  expect(await status(api, ROUTES.readyz)).toBe('200 serving')
})

test('a replica or a Redis that is not reached is named as well, and does not keep it from serving', async () => {
  const api = await start({
    DATABASE_REPLICA_URL: changed(database.replicaUrl, (url) => {
      url.password = 'wrong'
    }),
    REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
  })
  await says(api, { level: 50, setting: 'DATABASE_REPLICA_URL', reason: 'it does not accept the user or the password' })
  await says(api, { setting: 'REDIS_URL', reason: 'nothing listens there' })
  await waitUntil('ready', async () => (await status(api, ROUTES.readyz)) === '200 serving', WITHIN)
})

test('what a library warns of is a line of the log', async () => {
  const api = await start({
    DATABASE_REPLICA_URL: changed(database.replicaUrl, (url) => url.searchParams.set('sslmode', 'require')),
  })
  await waitUntil('the warning of pg', () => /SSL modes/.test(api.said()), WITHIN)
  expect(linesOf(api).every(({ level }) => typeof level === 'number')).toBe(true)
})

test('what cannot be right is refused before anything starts, all at once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hopwhistle-'))
  const notPem = join(folder, 'ca.pem')
  writeFileSync(notPem, 'hello')
  const api = await start({
    DATABASE_URL: 'postgres://hopwhistle_api:se/cr#et@db.example.com/hopwhistle',
    DATABASE_REPLICA_URL: `${database.replicaUrl}?sslmode=verify-full&sslrootcert=${folder}/none.pem`,
    REDIS_CA_FILE: notPem,
  })
  await exit(api)
  expect(api.process.exitCode).toBe(2)
  expect(api.said()).toContain('DATABASE_URL has a user or a password with characters that a URL cannot hold')
  expect(api.said()).toContain(`DATABASE_REPLICA_URL has sslrootcert=${folder}/none.pem, which does not exist`)
  expect(api.said()).toContain(`REDIS_CA_FILE is ${notPem}, which is not in PEM format`)
  expect(api.said()).not.toContain('se/cr')
})
