import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CallEventBody } from '@hopwhistle/contract/calls.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { anEvent, get, type Platform, post, runningPlatform, type Tenant } from '../platform/running-platform.ts'

// Each run of the command starts a process.
vi.setConfig({ testTimeout: 120_000 })
const COMMAND = fileURLToPath(new URL('../../src/commands/tenants.ts', import.meta.url))
let platform: Platform
let redis: Redis
beforeAll(async () => {
  platform = await runningPlatform(2, { KEY_CACHE_MS: '200', EVENTS_KEEP_ASIDE: 'true' })
  redis = new Redis(platform.redis.url)
})
afterAll(async () => {
  await redis.quit()
  await platform.close()
})

function tenants(args: readonly string[], input = ''): Promise<{ code: number; out: string; err: string }> {
  const env = {
    PATH: process.env.PATH,
    MIGRATION_DATABASE_URL: platform.database.ownerUrl,
    REDIS_URL: platform.redis.url,
    KEY_CACHE_MS: '200',
  }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [COMMAND, ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
    child.stdin?.end(input)
  })
}

/** Every table that there is, so that none is forgotten here when it is new. */
async function tables(): Promise<readonly string[]> {
  const rows = await platform.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'hopwhistle'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`,
  )
  return rows.map(({ name }) => name)
}

/** Where a text is stored, in any column of any table, and in any key and value of Redis. */
async function placesOf(text: string): Promise<readonly string[]> {
  const places: string[] = []
  for (const table of await tables()) {
    const rows = await platform.query(`select from hopwhistle.${table} t where position($1 in t::text) > 0`, [text])
    if (rows.length > 0) places.push(table)
  }
  for (const key of await redis.keys('*')) {
    const value = {
      string: () => redis.get(key),
      stream: async () => JSON.stringify(await redis.xrange(key, '-', '+')),
      hash: async () => JSON.stringify(await redis.hgetall(key)),
      zset: async () => JSON.stringify(await redis.zrange(key, '0', '-1')),
    }[await redis.type(key)]
    if (key.includes(text) || (await value?.())?.includes(text)) places.push(`redis ${key.split(' ', 1)[0]}`)
  }
  return places
}

const at = (i: 0 | 1 = 0) => platform.instances[i] as Platform['instances'][number]
const send = async ({ key }: Tenant, given: Partial<CallEventBody>) => {
  const event = { ...anEvent('INITIATED'), ...given }
  expect((await post(at(), event, key)).status).toBe(201)
  return event
}
const metrics = async ({ key }: Tenant) => {
  const { totals } = (await get(at(1), `${ROUTES.reportMetrics}?granularity=day`, key)).body
  return totals
}
let numbers = 0
/** One that no other test has. */
const newNumber = () => `+4930${String(Date.now()).slice(-7)}${String(++numbers).padStart(3, '0')}`

test('a number goes from events, calls, metadata, live history and cached reports, and every count stays', async () => {
  const [tenant, other] = [await platform.newTenant(), await platform.newTenant()]
  const [number, friend] = [newNumber(), newNumber()]
  const first = await send(tenant, {
    callId: 'one',
    from: number,
    to: friend,
    direction: 'inbound',
    metadata: { caller: number, note: 'x' },
  })
  await send(tenant, { callId: 'one', state: 'COMPLETED' })
  await send(tenant, { callId: 'two', from: friend, to: number })
  await send(tenant, {
    callId: 'three',
    from: friend,
    metadata: { transferredFrom: number.slice(1), longer: `${number}9` },
  })
  const kept = await send(tenant, { callId: 'four', from: friend, metadata: { longer: `${number}9` } })
  await send(other, { callId: 'five', to: number })
  await waitUntil('the replica', async () => (await metrics(tenant)).calls === 4, { timeoutMs: 20_000 })
  expect((await get(at(), `${ROUTES.reportCalls}?fromNumber=${encodeURIComponent(number)}`, tenant.key)).status).toBe(
    200,
  )
  await waitUntil('Redis to have it', async () => (await placesOf(number)).length >= 4, { timeoutMs: 20_000 })
  const before = await metrics(tenant)
  const since = new Date(Date.now() - 3_600_000).toISOString()
  const changes = async (cursor = '') =>
    (await get(at(1), `${ROUTES.reportCalls}?updatedSince=${since}${cursor && `&cursor=${cursor}`}`, tenant.key)).body
  await waitUntil('the feed to have all', async () => (await changes()).calls.length === 4, { timeoutMs: 20_000 })
  const cursor = (await changes()).nextCursor

  const { code, out, err } = await tenants(['forget', '--number', number])
  expect(code, err).toBe(0)
  expect(err).toContain('changed 4 events and 3 calls of 2 tenants')
  expect(out + err, 'what it says may be kept').not.toContain(number)
  // What is left is part of a longer number, which is another.
  expect(await placesOf(`${number}"`)).toEqual([])
  expect(await placesOf(number)).toEqual(['call_events'])
  expect((await get(at(), `/api/v1/calls/four`, tenant.key)).body.events).toMatchObject([{ metadata: kept.metadata }])

  const calls = await platform.query(
    'select call_id, from_number, to_number, state from hopwhistle.calls where tenant_id = $1 order by 1',
    [tenant.id],
  )
  expect(calls).toEqual([
    { call_id: 'four', from_number: friend, to_number: null, state: 0 },
    { call_id: 'one', from_number: null, to_number: friend, state: 3 },
    { call_id: 'three', from_number: friend, to_number: null, state: 0 },
    { call_id: 'two', from_number: friend, to_number: null, state: 0 },
  ])
  expect(await metrics(tenant)).toEqual(before)
  await waitUntil('the feed to tell', async () => (await changes(cursor)).calls.length === 2, { timeoutMs: 30_000 })
  const told = (await changes(cursor)).calls.toSorted((a: { callId: string }, b: { callId: string }) =>
    a.callId < b.callId ? -1 : 1,
  )
  expect(told).toMatchObject([
    { callId: 'one', from: null, to: friend },
    { callId: 'two', from: friend, to: null },
  ])
  expect((await post(at(), first, tenant.key)).status, 'the same event again does not bring it back').toBe(409)
})

test('events that are kept aside are written out as they came, and go as well', async () => {
  const tenant = await platform.newTenant()
  const number = newNumber()
  const old = { ...anEvent('INITIATED'), from: number, occurredAt: '2020-01-01T00:00:00Z' }
  // A double cannot hold this number.
  const text = `${JSON.stringify(old).slice(0, -1)},"metadata":{"n":9007199254740993}}`
  expect((await post(at(), text, tenant.key)).body.code).toBe('event-kept-aside')
  const { out } = await tenants(['aside', '--tenant', tenant.id])
  expect(JSON.parse(out)).toMatchObject(old)
  expect(out).toContain(': 9007199254740993}')
  const { code, err } = await tenants(['forget', '--number', number])
  expect(code, err).toBe(0)
  expect(await placesOf(number)).toEqual([])
})

test('a number goes from labels as well; other labels stay, and so do their counts', async () => {
  const tenant = await platform.newTenant()
  await platform.query(`update hopwhistle.tenants set labels = '{line,campaign}' where id = $1`, [tenant.id])
  const number = newNumber()
  await send(tenant, { callId: 'labelled', labels: { line: number, campaign: 'spring' }, metadata: { queue: 'sales' } })
  await send(tenant, {
    callId: 'labelled',
    labels: { line: `${number}9` },
    occurredAt: new Date(Date.now() - 3_600_000).toISOString(),
    state: 'RINGING',
  })
  const { code, err } = await tenants(['forget', '--number', number, '--tenant', tenant.id])
  expect(code, err).toBe(0)
  expect(err).toContain('changed 1 events and 1 calls of 1 tenants')
  expect(await placesOf(`${number}"`)).toEqual([])
  const labels = await platform.query('select labels from hopwhistle.calls where tenant_id = $1', [tenant.id])
  expect(labels).toEqual([{ labels: { line: `${number}9`, campaign: 'spring' } }])
  const { events } = (await get(at(), '/api/v1/calls/labelled', tenant.key)).body
  expect(events).toMatchObject([
    { labels: { line: `${number}9` } },
    { labels: { campaign: 'spring' }, metadata: { queue: 'sales' } },
  ])

  expect((await tenants(['forget', '--call', 'labelled', '--tenant', tenant.id])).code).toBe(0)
  expect(await placesOf('spring')).toEqual([])
})

test('labels are declared, shown and taken back', async () => {
  const tenant = await platform.newTenant()
  const labels = (...args: string[]) => tenants(['labels', '--tenant', tenant.id, ...args])
  expect((await labels()).out).toBe('no labels\n')
  expect((await labels('--set', 'campaign,source')).out).toBe('campaign\nsource\n')
  expect((await labels()).out).toBe('campaign\nsource\n')
  expect((await labels('--set', 'none')).out).toBe('no labels\n')
  for (const wrong of ['', 'Campaign', 'a,a', '1', 'a,b,c,d,e,f,g,h,i']) {
    const { code, err } = await labels('--set', wrong)
    expect([code, err.split('\n')[0]], wrong).toEqual([2, expect.stringContaining('--set must be')])
  }
})

test('a number goes in every notation, of events, calls, metadata and what is kept aside, by whatever notation is asked', async () => {
  const tenant = await platform.newTenant()
  const number = newNumber()
  const [country, area, rest] = [number.slice(1, 3), number.slice(3, 5), number.slice(5)]
  const written = [
    number,
    `+${country} ${area} ${rest}`,
    `tel:+${country}-${area}-${rest};ext=7`,
    `sip:${number}@pbx.example.com;user=phone`,
    `sip:%2B${number.slice(1)}@pbx.example.com`,
  ]
  for (const [i, from] of written.entries()) await send(tenant, { callId: `call-${i}`, from })
  await send(tenant, { callId: 'call-5', metadata: { said: `I am at (+${country}) ${area}/${rest}.` } })
  await send(tenant, { callId: 'call-6', metadata: { url: `https://example.com/?from=%2B${number.slice(1)}&x=1` } })
  const other = `+${country} ${area} ${rest}9`
  await send(tenant, { callId: 'call-7', from: other })
  const aside = { ...anEvent('INITIATED'), to: written[1], occurredAt: '2020-01-01T00:00:00Z' }
  expect((await post(at(), aside, tenant.key)).body.code).toBe('event-kept-aside')

  const { code, err } = await tenants(['forget', '--number', written[2] as string, '--tenant', tenant.id])
  expect(code, err).toBe(0)
  expect(err).toContain('changed 8 events and 5 calls')
  const left = await platform.query<{ row: string }>(
    `select e::text as row from hopwhistle.call_events e where tenant_id = $1 and num_nonnulls(from_number, to_number, metadata) > 0
     union all select c::text from hopwhistle.calls c where tenant_id = $1 and num_nonnulls(from_number, to_number) > 0
     union all select a::text from hopwhistle.events_aside a where tenant_id = $1`,
    [tenant.id],
  )
  expect(left.map(({ row }) => row)).toEqual([expect.stringContaining(other), expect.stringContaining(`${number}9`)])

  // As a restore would bring it back, in one of its notations.
  await platform.query(
    `update hopwhistle.call_events set from_number = $2 where tenant_id = $1 and call_id = 'call-0'`,
    [tenant.id, written[1]],
  )
  const erasures = (await tenants(['erasures'])).out.split('\n').filter((line) => line.includes(tenant.id))
  expect((await tenants(['forget-again', '-'], erasures.join('\n'))).err).toContain('changed 1 events')
})

test('a number goes from one tenant only when asked so, and one that was given on standard input is in no argument', async () => {
  const [tenant, other] = [await platform.newTenant(), await platform.newTenant()]
  const number = newNumber()
  for (const each of [tenant, other]) await send(each, { from: number })
  const { code, err } = await tenants(['forget', '--number', '-', '--tenant', tenant.id], `${number}\n`)
  expect(code, err).toBe(0)
  const left = await platform.query('select tenant_id from hopwhistle.calls where from_number = $1', [number])
  expect(left).toEqual([{ tenant_id: other.id }])
})

test('a number in the id of an event or a call is not passed over in silence', async () => {
  const tenant = await platform.newTenant()
  const number = newNumber()
  await send(tenant, { eventId: `${number}-1`, from: number })
  await send(tenant, { callId: `call.${number.slice(1)}` })
  await send(tenant, { callId: `of another one: ${number}9` })
  const { code, err } = await tenants(['forget', '--number', number, '--tenant', tenant.id])
  expect(code).toBe(1)
  expect(err).toContain('changed 1 events and 1 calls of 1 tenants')
  expect(err).toContain('2 events have the number in their id or in that of their call')
  expect(err).not.toContain(number)
})

test('a call that has other numbers as well shows those, as if the erased one had never been sent', async () => {
  const tenant = await platform.newTenant()
  const [number, later] = ['+100', '+200']
  await send(tenant, { callId: 'moved', from: number })
  await send(tenant, { callId: 'moved', state: 'RINGING', from: later })
  expect((await tenants(['forget', '--number', number, '--tenant', tenant.id])).code).toBe(0)
  const calls = await platform.query('select from_number from hopwhistle.calls where tenant_id = $1', [tenant.id])
  expect(calls).toEqual([{ from_number: later }])
})

test('of a call all numbers and metadata go, and of other calls none', async () => {
  const tenant = await platform.newTenant()
  const [number, other] = [newNumber(), newNumber()]
  await send(tenant, { callId: 'asked-for', from: number, to: other, metadata: { name: 'Somebody' } })
  await send(tenant, { callId: 'not-asked-for', to: other })
  const { code, err } = await tenants(['forget', '--call', 'asked-for', '--tenant', tenant.id])
  expect(code, err).toBe(0)
  expect(err).toContain('changed 1 events and 1 calls')
  expect(await placesOf(number)).toEqual([])
  expect(await placesOf('Somebody')).toEqual([])
  const calls = await platform.query(
    'select call_id, to_number from hopwhistle.calls where tenant_id = $1 order by 1',
    [tenant.id],
  )
  expect(calls).toEqual([
    { call_id: 'asked-for', to_number: null },
    { call_id: 'not-asked-for', to_number: other },
  ])
})

test('a whole tenant goes with everything but the entries of the audit and that it was erased', async () => {
  const [tenant, other] = [await platform.newTenant(), await platform.newTenant()]
  for (const each of [tenant, other]) await send(each, { from: newNumber() })
  await get(at(), ROUTES.reportCalls, tenant.key)
  // A row of it in every table that has rows of tenants.
  expect((await tenants(['labels', '--tenant', tenant.id, '--set', 'campaign'])).code).toBe(0)
  await send(tenant, { labels: { campaign: 'spring' } })
  expect((await post(at(), {}, tenant.key, ROUTES.tokens)).status).toBe(201)
  const old = { ...anEvent('INITIATED'), occurredAt: '2020-01-01T00:00:00Z' }
  expect((await post(at(), old, tenant.key)).body.code).toBe('event-kept-aside')
  await platform.query(
    `with hook as (
       insert into hopwhistle.webhooks (id, tenant_id, url, patterns, secret, kept_from, at_batch)
       values ($1, $1, 'https://a.example', '{call.*}', '\\x00', 0, 0) returning id)
     insert into hopwhistle.webhook_waiting (webhook_id, batch_id, place, event_id, call_id, attempts) values ($1, 1, 1, 'e', 'c', 1)`,
    [tenant.id],
  )
  await platform.query(
    `insert into hopwhistle.provider_callbacks (tenant_id, provider, name, callback_hash, sealed_secret)
     values ($1, 'twilio', 'a test', sha256(gen_random_uuid()::text::bytea), '\\x00')`,
    [tenant.id],
  )
  const { code, err } = await tenants(['forget', '--whole-tenant', '--tenant', tenant.id])
  expect(code, err).toBe(0)
  expect(err).toContain('deleted the tenant, with 2 events of 2 calls')
  expect(await placesOf(tenant.id)).toEqual(['erasures', 'key_audit', 'tenant_audit', 'webhook_audit'])
  await waitUntil('its key to end', async () => (await get(at(), ROUTES.reportCalls, tenant.key)).status === 401, {
    timeoutMs: 10_000,
  })
  expect((await get(at(), ROUTES.reportCalls, other.key)).body.calls).toHaveLength(1)
})

test('after a restore the list of erasures is applied again, and says who asked for what', async () => {
  const tenant = await platform.newTenant()
  const number = newNumber()
  await send(tenant, { callId: 'restored', from: number })
  await send(tenant, { callId: 'restored-by-id', from: newNumber(), metadata: { name: 'Restored' } })
  for (const asked of [
    ['--number', number],
    ['--call', 'restored-by-id'],
  ]) {
    expect((await tenants(['forget', ...asked, '--tenant', tenant.id])).code).toBe(0)
  }
  const list = (await tenants(['erasures'])).out
  expect(list).not.toContain(number)
  const erasures = list
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ tenantId }) => tenantId === tenant.id)
  expect(erasures).toMatchObject([
    { kind: 'number', askedBy: expect.stringMatching(/./), erasedAt: expect.stringMatching(/^20.*Z$/) },
    { kind: 'call', subject: 'restored-by-id' },
  ])

  // As it was before.
  await platform.query('delete from hopwhistle.erasures where tenant_id = $1', [tenant.id])
  for (const table of ['call_events', 'calls']) {
    await platform.query(`update hopwhistle.${table} set from_number = $2 where tenant_id = $1`, [tenant.id, number])
  }
  const file = join(mkdtempSync(join(tmpdir(), 'erasures-')), 'list.jsonl')
  writeFileSync(file, erasures.map((erasure) => JSON.stringify(erasure)).join('\n'))
  const { code, err } = await tenants(['forget-again', file])
  expect(code, err).toBe(0)
  expect(await placesOf(number)).toEqual([])
  expect(await placesOf('Restored')).toEqual([])
  expect((await tenants(['erasures'])).out).toContain(erasures[0].id)
  expect((await tenants(['forget-again', '-'], JSON.stringify(erasures[0]))).err).toContain('nothing of it is there')
})

test('a tenant gets a time after which its calls are stale, and the audit has who set it', async () => {
  const tenant = await platform.newTenant()
  const set = await tenants(['stale', '--tenant', tenant.id, '--hours', '4'])
  expect(set.err).toContain('is stale after 4 hours')
  expect((await tenants(['list'])).out).toMatch(new RegExp(`${tenant.id}.* 4 h `))
  expect((await tenants(['stale', '--tenant', tenant.id, '--hours', 'usual'])).err).toContain('is stale after 24 hours')
  const audit = (await tenants(['audit', '--tenant', tenant.id])).out
  expect(audit).toMatch(/stale_after_hours +default +4 +\S+@\S+/)
  expect(audit).toMatch(/stale_after_hours +4 +default +\S+@\S+/)
  const nobody = '00000000-0000-0000-0000-000000000000'
  expect((await tenants(['stale', '--tenant', nobody, '--hours', '4'])).err).toContain(`there is no tenant ${nobody}`)
})

test('wrong usage says what is right, and repeats no number', async () => {
  for (const args of [
    [],
    ['forget'],
    ['forget', '+49301234567'],
    ['forget', '--number', '+49301234567', '--call', 'c'],
    ['forget', '--whole-tenant'],
    ['forget', '--tenant', '+49301234567', '--number', '+1'],
    ['retention', '--tenant', '00000000-0000-0000-0000-000000000000', '--days', '30'],
    ['stale', '--tenant', '00000000-0000-0000-0000-000000000000', '--hours', '0'],
    ['stale', '--tenant', '00000000-0000-0000-0000-000000000000'],
    ['forget-again'],
  ]) {
    const { code, err } = await tenants(args)
    expect(code, args.join(' ')).toBe(2)
    expect(err.split('\n')[0], args.join(' ')).not.toContain('+49301234567')
  }
  expect((await tenants(['forget', '--number', newNumber()])).err).toContain('nothing was found to erase')
})
