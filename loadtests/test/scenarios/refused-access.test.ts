/** Keys and tenants, right and wrong, given to a real API by a real k6. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { demoTenantId } from '@hopwhistle/contract/demo.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { SCENARIO_NAMES } from '@hopwhistle/contract/scenarios.ts'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'
import { providerSecretsKey } from '@hopwhistle/platform/settings/providers.ts'
import { startApiInstances } from '@hopwhistle/platform/stack/api-instances.ts'
import { type Guard, startGuard } from '@hopwhistle/platform/stack/guard.ts'
import { type ServerProcess, stopServer } from '@hopwhistle/platform/stack/server-process.ts'
import { connectPostgres } from '@hopwhistle/platform/test-support/connect-postgres.ts'
import { freshDatabase } from '@hopwhistle/platform/test-support/fresh-database.ts'
import { freshRedis } from '@hopwhistle/platform/test-support/fresh-redis.ts'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { requestHeaders } from '../../scenarios/lib/request-headers.ts'
import { type Bench, bench } from '../support/bench.ts'
import { k6Path, runK6, withK6 } from './k6.ts'

// A command and a k6 take their time to start on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const SOON = { timeout: 20_000 }
const OTHER_TENANT = '99999999-9999-4999-8999-999999999999'
const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-tenant-'))
let here: Bench
let guard: Guard
let server: ServerProcess
let url: string
let ownerUrl: string

beforeAll(async () => {
  const [database, redis] = [await freshDatabase(), await freshRedis()]
  ownerUrl = database.ownerUrl
  const port = await freePort()
  guard = startGuard()
  const { apiUrl: primary, replicaUrl: replica, ownerReplicaUrl: ownerReplica } = database
  await startApiInstances({
    dir,
    port,
    host: '127.0.0.1',
    instances: 1,
    urls: { primary, replica, owner: ownerUrl, ownerReplica, redis: redis.url },
    guard,
    onStart: (started) => {
      server = started
    },
  })
  url = `http://127.0.0.1:${port}`
  here = bench()
})
afterAll(async () => {
  await stopServer(server, 5_000)
  guard.off()
  here.remove()
  rmSync(dir, { recursive: true, force: true })
})

/** @returns the key and the tenant that it belongs to */
/** Runs a command of the API on the database. */
async function command(name: string, ...args: readonly string[]) {
  const env = {
    PATH: process.env.PATH,
    MIGRATION_DATABASE_URL: ownerUrl,
    PROVIDER_SECRETS_KEY: providerSecretsKey(),
  }
  return promisify(execFile)(process.execPath, [join(CHECKOUT, 'api', 'src', 'commands', name), ...args], { env })
}

async function newKey(...scopes: readonly string[]): Promise<{ apiKey: string; tenantId: string }> {
  const scoped = scopes.length === 0 ? [] : ['--scopes', scopes.join(',')]
  const { stdout, stderr } = await command('keys.ts', 'create', '--new-tenant', `t-${scopes.length}`, ...scoped)
  return { apiKey: stdout.trim(), tenantId: / tenant ([0-9a-f-]{36})/.exec(stderr)?.[1] ?? '' }
}

const SAID = `TENANT_ID is "${OTHER_TENANT}", and API_KEY belongs to another tenant`

test('bench run says that the tenant is not the key’s before anything starts', async () => {
  const { apiKey } = await newKey()
  const results = join(here.tempDir, 'results')
  const other = bench({ API_KEY: apiKey, TENANT_ID: OTHER_TENANT, K6: '/nowhere/k6' })
  const { code, stdout, stderr } = await other.run(
    'run',
    '--profile',
    'smoke',
    '--api-url',
    url,
    '--results-dir',
    results,
  )
  other.remove()
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr.trimEnd()).toBe(`${SAID} of ${url} (403)`)
  expect(readdirSync(here.tempDir)).toEqual([])
})

test.each([
  ['an API that is not there', { API_KEY: 'any' }, 'http://127.0.0.1:9', 'API_URL http://127.0.0.1:9 does not answer'],
  ['a key that nobody has', { API_KEY: 'nobodys' }, undefined, 'API_KEY is not one that'],
] as const)('bench run says so of %s', async (_, env, given, said) => {
  const other = bench(env)
  const { code, stderr } = await other.run('run', '--profile', 'smoke', '--api-url', given ?? url)
  other.remove()
  expect(code).toBe(2)
  expect(stderr).toContain(said)
})

describe.skipIf(k6Path === undefined)(`k6 run by hand${withK6}`, () => {
  test.each(SCENARIO_NAMES)('%s says that the tenant is not the key’s, and sends no load', async (scenario) => {
    const { apiKey } = await newKey()
    const env = { API_URL: url, API_KEY: apiKey, TENANT_ID: OTHER_TENANT, PROFILE: 'smoke' }
    const { code, stderr, stdout } = await runK6(`${scenario}.ts`, env)
    expect(code).toBe(108)
    expect(stderr.replaceAll('\\"', '"')).toContain(SAID)
    expect(stdout).toContain('no samples')
  })

  test('a key that may only send events is enough where only events are sent', async () => {
    const { apiKey, tenantId } = await newKey('events:write')
    const env = { API_URL: url, API_KEY: apiKey, TENANT_ID: tenantId, PROFILE: 'smoke', PEAK_SECONDS: '1' }
    expect((await runK6('reporting-endpoints.ts', env)).stderr).toContain('API_KEY may not read reports')
    expect((await runK6('call-state-updates.ts', env)).stdout).toMatch(/100\.00 % ✓/)
  })

  test('TENANTS that are not there are refused with the command that makes them; then each of them gets load', async () => {
    const env = { API_URL: url, TENANTS: '7', PROFILE: 'smoke', PEAK_SECONDS: '1', RUN_ID: 'spread' }
    expect((await runK6('call-state-updates.ts', env)).stderr).toContain('npm run db:seed:demo -- --again --tenants=7')
    await command('db-seed-demo.ts', '--calls=1', '--tenants=7')
    // The API remembers for a moment that it did not know the key.
    const ofTheLast = { headers: requestHeaders({ apiKey: '', tenantId: '', tenants: 7 }, 6) }
    await expect.poll(async () => (await fetch(`${url}${ROUTES.reportCalls}`, ofTheLast)).status, SOON).toBe(200)
    for (const scenario of SCENARIO_NAMES) expect((await runK6(`${scenario}.ts`, env)).stdout).toMatch(/\d % ✓/)
    const owner = await connectPostgres(ownerUrl)
    const { rows } = await owner.query(
      `select tenant_id as id from hopwhistle.calls where call_id like 'spread%' group by 1 order by 1`,
    )
    expect(rows).toEqual(Array.from({ length: 7 }, (_, n) => ({ id: demoTenantId(n) })))
  }, 300_000)
})
