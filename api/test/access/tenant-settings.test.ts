import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { get, type Platform, post, runningPlatform } from '../platform/running-platform.ts'

const CACHE_MS = 400
let platform: Platform
beforeAll(async () => {
  platform = await runningPlatform(2, { KEY_CACHE_MS: String(CACHE_MS) })
})
afterAll(() => platform.close())

const command = (name: 'keys' | 'tenants', ...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const file = fileURLToPath(new URL(`../../src/commands/${name}.ts`, import.meta.url))
    const env = { PATH: process.env.PATH, MIGRATION_DATABASE_URL: platform.database.ownerUrl }
    execFile(process.execPath, [file, ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })

test('a tenant gets a time zone of its own, every instance reports in it, and who did it is kept', async () => {
  const made = await command('keys', 'create', '--new-tenant', 'Elsewhere')
  const key = made.out.trimEnd()
  const [, tenant = ''] = /of tenant ([0-9a-f-]{36})/.exec(made.err) ?? []
  const zones = () =>
    Promise.all(
      platform.instances.map(
        async (at) => (await get(at, `${ROUTES.reportMetrics}?granularity=day`, key)).body.timezone,
      ),
    )
  expect(await zones()).toEqual([undefined, undefined])

  const set = (zone: string, ...more: string[]) =>
    command('tenants', 'time-zone', '--tenant', tenant, '--zone', zone, ...more)
  expect(await set('Asia/Kathmandu', '--by', 'Maya')).toMatchObject({
    code: 0,
    err: expect.stringContaining('Asia/Kathmandu'),
  })
  const soon = { timeout: CACHE_MS + 4_000 }
  await expect.poll(zones, soon).toEqual(['Asia/Kathmandu', 'Asia/Kathmandu'])
  expect((await command('tenants', 'list')).out).toMatch(
    new RegExp(`^${tenant}  Elsewhere +usual +Asia/Kathmandu `, 'm'),
  )

  // A page gets its tenant's, too.
  const { token } = (await post(platform.instances[0]!, { scopes: ['reports:read'] }, key, ROUTES.tokens)).body
  expect((await get(platform.instances[1]!, `${ROUTES.reportMetrics}?granularity=day`, token)).body.timezone).toBe(
    'Asia/Kathmandu',
  )

  expect((await set('none')).code).toBe(0)
  await expect.poll(zones, soon).toEqual([undefined, undefined])
  expect((await command('tenants', 'limit', '--tenant', tenant, '--rate', '70', '--by', 'Ravi')).code).toBe(0)
  const { out } = await command('tenants', 'audit', '--tenant', tenant)
  const changes = out
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ {2,}/).slice(2, 6))
  expect(changes).toEqual([
    ['time_zone', 'default', 'Asia/Kathmandu', 'Maya'],
    ['time_zone', 'Asia/Kathmandu', 'default', expect.stringContaining('@')],
    ['events_per_second', 'default', '70', 'Ravi'],
  ])
})

test('a zone that there is not is refused, and so is a tenant', async () => {
  const set = (tenant: string, zone: string) => command('tenants', 'time-zone', '--tenant', tenant, '--zone', zone)
  expect(await set(randomUUID(), 'PST')).toMatchObject({ code: 2, err: expect.stringContaining('IANA') })
  expect(await set(randomUUID(), 'Europe/Berlin')).toMatchObject({
    code: 1,
    err: expect.stringContaining('there is no tenant'),
  })
})
