import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { anEvent, get, type Platform, post, runningPlatform } from '../platform/running-platform.ts'

const COMMAND = fileURLToPath(new URL('../../src/commands/keys.ts', import.meta.url))
const TENANTS = fileURLToPath(new URL('../../src/commands/tenants.ts', import.meta.url))
const CACHE_MS = 400

let platform: Platform
beforeAll(async () => {
  platform = await runningPlatform(2, { KEY_CACHE_MS: String(CACHE_MS) })
})
afterAll(() => platform.close())

const keys = (...args: string[]) => command(COMMAND, ...args)
const tenants = (...args: string[]) => command(TENANTS, ...args)
function command(file: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env.PATH, MIGRATION_DATABASE_URL: platform.database.ownerUrl }
  return new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
}

const UUID = '[0-9a-f-]{36}'
async function create(...args: string[]) {
  const { code, out, err } = await keys('create', ...args)
  expect(code, err).toBe(0)
  const [, id = '', tenantId = ''] = new RegExp(`made key (${UUID}) of tenant (${UUID})`).exec(err) ?? []
  return { key: out.trimEnd(), id, tenantId, out, err }
}
const status = async (key: string, path: string = ROUTES.reportCalls) =>
  Promise.all(platform.instances.map(async (at) => (await get(at, path, key)).status))
const untilRefused = (key: string) =>
  expect.poll(() => status(key), { timeout: CACHE_MS + 4_000, interval: 50 }).toEqual([401, 401])

test('a key is made, shown once, works on every instance, and only its hash is kept', async () => {
  const { key, id, tenantId, out, err } = await create('--new-tenant', 'Acme', '--name', 'for the PBX')
  expect(out).toMatch(/^hwk_[A-Za-z0-9_-]{43}\n$/)
  expect(err).not.toContain(key)
  expect(await status(key)).toEqual([200, 200])
  expect((await post(platform.instances[0]!, anEvent('INITIATED'), key)).status).toBe(201)
  const list = await keys('list', '--tenant', tenantId)
  expect(list.out).toMatch(new RegExp(`^${id}  ${tenantId}  Acme +for the PBX  .*works$`, 'm'))
  expect(list.out).not.toContain(key)
  const stored = await platform.query<{ row: string }>('select k::text as row from hopwhistle.api_keys k')
  expect(stored.filter(({ row }) => row.includes(key) || row.includes(Buffer.from(key).toString('hex')))).toEqual([])
})

test('a key may do what its scopes say, and no two are the same', async () => {
  const writer = await create('--new-tenant', 'Writer', '--scopes', 'events:write')
  const reader = await create('--tenant', writer.tenantId, '--scopes', 'reports:read,live:read')
  expect(reader.key).not.toBe(writer.key)
  expect(await status(writer.key)).toEqual([403, 403])
  expect(await status(reader.key)).toEqual([200, 200])
  expect((await post(platform.instances[0]!, anEvent('INITIATED'), reader.key)).status).toBe(403)
})

test('a revoked key is refused within seconds by every instance, its sockets are closed, and others stay', async () => {
  const { key, id, tenantId } = await create('--new-tenant', 'Leaver')
  const other = await create('--tenant', tenantId)
  const sockets = platform.instances.map(
    ({ url }) => new WebSocket(url.replace('http', 'ws') + ROUTES.live, { headers: { [HEADERS.apiKey]: key } }),
  )
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('open', resolve))))
  const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
  const revoked = await keys('revoke', id)
  expect(revoked).toMatchObject({ code: 0, out: '', err: expect.stringMatching(`key ${id} ended at 20`) })
  await untilRefused(key)
  expect(await Promise.all(closed)).toEqual([4401, 4401])
  expect(await status(other.key)).toEqual([200, 200])
  expect((await keys('revoke', id)).err).toBe(revoked.err)
})

test('a key that is replaced works beside the new one until its time is over', async () => {
  const old = await create('--new-tenant', 'Rotating', '--name', 'nightly', '--scopes', 'reports:read')
  const rotated = await keys('rotate', old.id, '--overlap-hours', '1')
  expect(rotated.code, rotated.err).toBe(0)
  const key = rotated.out.trimEnd()
  expect(await status(key)).toEqual([200, 200])
  await new Promise((resolve) => setTimeout(resolve, CACHE_MS))
  expect(await status(old.key)).toEqual([200, 200])
  const { out } = await keys('list', '--tenant', old.tenantId)
  expect(out.match(/nightly +reports:read/g)).toHaveLength(2)
  expect(out).toMatch(new RegExp(`^${old.id}.*works until 20`, 'm'))

  expect(await keys('rotate', old.id)).toMatchObject({ code: 1, err: expect.stringContaining('is being replaced') })
  await platform.query(`update hopwhistle.api_keys set revoked_at = now() + interval '0.2 s' where id = $1`, [old.id])
  await untilRefused(old.key)
  expect(await status(key)).toEqual([200, 200])

  const [, id = ''] = new RegExp(`made key (${UUID})`).exec(rotated.err) ?? []
  expect((await keys('rotate', id, '--overlap-hours', '0')).code).toBe(0)
  await untilRefused(key)
})

test('a tenant, and a key, may be held to a rate of its own, and every event of a batch counts', async () => {
  const at = platform.instances[0]!
  const send = async (key: string, count: number) => {
    const events = Array.from({ length: count }, () => anEvent('INITIATED'))
    const { status, headers, body } = await post(at, { events }, key, ROUTES.callEvents)
    return { status, code: body.code, retryAfter: Number(headers.get('retry-after')) }
  }
  const held = await create('--new-tenant', 'Held')
  const narrow = await create('--tenant', held.tenantId)
  const free = await create('--new-tenant', 'Free')
  expect((await keys('limit', narrow.id, '--rate', '1')).err).toContain('may send 1 events a second')
  // A batch is larger than the rate: it is taken, and owed for a while.
  expect(await send(narrow.key, 300)).toMatchObject({ status: 200 })
  const refused = await send(narrow.key, 1)
  expect(refused).toMatchObject({ status: 429, code: 'rate-limited' })
  expect(refused.retryAfter).toBeGreaterThan(100)
  expect(await send(held.key, 300)).toMatchObject({ status: 200 })

  expect((await tenants('limit', '--tenant', held.tenantId, '--rate', '1')).code).toBe(0)
  expect((await tenants('list')).out).toMatch(new RegExp(`^${held.tenantId}  Held +1/s  `, 'm'))
  await expect.poll(async () => (await send(held.key, 300)).status, { timeout: CACHE_MS + 4_000 }).toBe(429)
  expect(await send(free.key, 300)).toMatchObject({ status: 200 })

  expect((await tenants('limit', '--tenant', held.tenantId, '--rate', 'usual')).code).toBe(0)
  expect((await keys('limit', narrow.id, '--rate', 'usual')).code).toBe(0)
  await expect.poll(() => send(narrow.key, 1), { timeout: CACHE_MS + 4_000 }).toMatchObject({ status: 200 })
  expect(await tenants('limit', '--tenant', DEMO_TENANT_ID, '--rate', '0')).toMatchObject({ code: 2 })
  expect(await tenants('limit', '--tenant', DEMO_TENANT_ID, '--rate', '5')).toMatchObject({ code: 1 })
})

test('a key that was made to expire ends by itself, and one made in its place lasts as long', async () => {
  const made = await create('--new-tenant', 'Guests', '--expires-days', '2')
  expect(await status(made.key)).toEqual([200, 200])
  expect((await keys('list', '--tenant', made.tenantId)).out).toMatch(/works until 20/)
  const rotated = await keys('rotate', made.id)
  expect(rotated.code, rotated.err).toBe(0)
  const ends = await platform.query<{ days: number }>(
    `select round(extract(epoch from revoked_at - created_at) / 86400)::int as days
     from hopwhistle.api_keys where tenant_id = $1 order by created_at`,
    [made.tenantId],
  )
  expect(ends.map(({ days }) => days)).toEqual([1, 2])
  await platform.query(
    `update hopwhistle.api_keys set expires_at = now() + interval '0.2 s', revoked_at = now() + interval '0.2 s' where tenant_id = $1`,
    [made.tenantId],
  )
  await untilRefused(rotated.out.trimEnd())
  expect(await keys('create', '--new-tenant', 'x', '--expires-days', '0')).toMatchObject({ code: 2 })
})

test('the last use of a key is known to the minute', async () => {
  const { key, tenantId, id } = await create('--new-tenant', 'Idle')
  expect((await keys('list', '--tenant', tenantId)).out).toMatch(new RegExp(`^${id}.* never +works$`, 'm'))
  await status(key)
  await expect
    .poll(async () => (await keys('list', '--tenant', tenantId)).out, { timeout: 15_000 })
    .toMatch(new RegExp(`^${id}.*Z +20\\S+ \\S+Z +works$`, 'm'))
})

test('who made, replaced and ended a key is kept, whatever did it, and longer than the key', async () => {
  const { id, tenantId } = await create('--new-tenant', 'Audited', '--by', 'ada')
  const rotated = await keys('rotate', id, '--overlap-hours', '1', '--by', 'grace')
  const [, next = ''] = new RegExp(`made key (${UUID})`).exec(rotated.err) ?? []
  await keys('revoke', next)
  await platform.query('delete from hopwhistle.api_keys where id = $1', [next])
  const { out } = await keys('audit', '--tenant', tenantId)
  const said = out
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ {2,}/).slice(1))
  expect(said).toEqual([
    ['made', id, tenantId, 'ada', expect.anything()],
    ['ended', id, tenantId, 'grace', expect.anything(), expect.stringMatching(/^ends 20/)],
    ['rotated', next, tenantId, 'grace', expect.anything(), `in place of ${id}`],
    ['ended', next, tenantId, expect.stringMatching(/\w@\w/), expect.anything(), expect.stringMatching(/ends 20/)],
    ['deleted', next, tenantId, 'not said', expect.anything(), expect.anything()],
  ])
  const api = new pg.Client({ connectionString: platform.database.apiUrl })
  await api.connect()
  for (const denied of ['select from hopwhistle.key_audit', 'delete from hopwhistle.key_audit'])
    await expect(api.query(denied)).rejects.toThrow(/permission denied/)
  await api.end()
})

test('what is wrong is said, with what it may be, and a key given by mistake is not repeated', async () => {
  expect(await keys('--help')).toMatchObject({ code: 0, out: expect.stringContaining('--overlap-hours') })
  const wrong = async (...args: string[]) => {
    const { code, err } = await keys(...args)
    return [code, err.split('\n')[0]]
  }
  expect(await wrong()).toEqual([2, 'keys: the first argument may be create, list, audit, rotate, revoke, limit'])
  expect(await wrong('create')).toEqual([2, 'keys: create takes --tenant ID or --new-tenant NAME, and not both'])
  expect(await wrong('create', '--new-tenant', 'x', '--scopes', 'all')).toEqual([
    2,
    'keys: --scopes may have events:write, reports:read, live:read, webhooks:write',
  ])
  expect(await wrong('revoke', 'hwk_secret')).toEqual([2, "keys: a key's id must be a UUID; list shows them"])
  expect(await wrong('rotate', DEMO_TENANT_ID, '--overlap-hours', '-1')).toEqual([2, expect.anything()])
  expect(await wrong('create', '--tenant', DEMO_TENANT_ID)).toEqual([
    1,
    `keys: there is no tenant ${DEMO_TENANT_ID}; --new-tenant NAME makes one`,
  ])
  expect(await wrong('revoke', DEMO_TENANT_ID)).toEqual([1, `keys: there is no key ${DEMO_TENANT_ID}: keys list`])
})
