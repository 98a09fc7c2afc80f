/** What keeps tenants apart and within their rate, on two whole instances: also when the API's own checks are left out. */
import { once } from 'node:events'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { anEvent, get, type Platform, post, runningPlatform, type Tenant } from '../platform/running-platform.ts'

const RATE = 100
let platform: Platform
let acme: Tenant
let other: Tenant
beforeAll(async () => {
  platform = await runningPlatform(2, { TENANT_RATE_PER_SECOND: String(RATE) })
  acme = await platform.newTenant()
  other = await platform.newTenant()
})
afterAll(() => platform.close())

test('row-level security alone keeps a tenant from every row of another, whatever the API would ask', async () => {
  let position = ''
  for (const { key } of [acme, other]) {
    for (const state of ['INITIATED', 'COMPLETED'] as const) {
      const { status, body } = await post(platform.instances[0]!, anEvent(state, { callId: 'same', from: '+1' }), key)
      expect(status).toBe(201)
      position = body.position
    }
  }
  await get(platform.instances[0]!, ROUTES.reportCalls, acme.key, { [HEADERS.position]: position })
  const tables = await platform.query<{ name: string; rows: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
     where c.relnamespace = 'hopwhistle'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and has_table_privilege('hopwhistle_api', c.oid, 'select')`,
  )
  expect(tables.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['call_events', 'calls', 'call_metrics_hourly']),
  )

  // As the API's own role, with nothing of the API in between: its login, one tenant set, and no `where`.
  const api = await connectPostgres(platform.database.apiUrl)
  await api.query(`select set_config('hopwhistle.tenant_ids', $1, false)`, [`{${acme.id}}`])
  let seen = 0
  for (const { name } of tables) {
    const { rows } = await api.query<{ tenant_id: string }>(`select distinct tenant_id from hopwhistle.${name}`)
    expect(
      rows.filter(({ tenant_id }) => tenant_id !== acme.id),
      name,
    ).toEqual([])
    seen += rows.length
    const ofOther = await api.query(`select from hopwhistle.${name} where tenant_id = $1`, [other.id])
    expect(ofOther.rowCount, name).toBe(0)
  }
  expect(seen).toBeGreaterThanOrEqual(2)
  const change = await api.query(`update hopwhistle.calls set state = 6 where tenant_id = $1`, [other.id])
  expect(change.rowCount).toBe(0)
  const steal = api.query('update hopwhistle.calls set tenant_id = $2 where tenant_id = $1', [acme.id, other.id])
  await expect(steal).rejects.toThrow(/row-level security/)
  await expect(api.query('set row_security = off; select from hopwhistle.calls')).rejects.toThrow(/row-level security/)
  const states = await platform.query<{ state: number }>('select distinct state from hopwhistle.calls')
  expect(states).toEqual([{ state: 3 }])
})

test('an ETag of another tenant saves nobody an answer', async () => {
  const [one] = platform.instances
  const { body } = await post(one!, anEvent('COMPLETED'), acme.key)
  for (const path of [`${ROUTES.reportMetrics}?granularity=hour`, ROUTES.reportCalls]) {
    // With this event: without it, both have one call, and the same answer.
    const answer = await get(one!, path, acme.key, { [HEADERS.position]: body.position })
    const etag = answer.headers.get('etag')
    if (etag === null) continue
    expect((await get(one!, path, acme.key, { 'if-none-match': etag })).status).toBe(304)
    const others = await get(one!, path, other.key, { 'if-none-match': etag })
    expect(others.status).toBe(200)
    expect(JSON.stringify(others.body)).not.toEqual(JSON.stringify(answer.body))
  }
  expect((await get(one!, `${ROUTES.reportMetrics}?granularity=hour`, acme.key)).headers.get('etag')).not.toBeNull()
})

test('a resume offset of another tenant, or a guessed one, brings none of its messages', async () => {
  const [one] = platform.instances
  const follow = async ({ key }: Tenant, recover?: { epoch: string; offset: number }) => {
    const socket = new WebSocket(one!.url.replace('http', 'ws') + ROUTES.live, { headers: { [HEADERS.apiKey]: key } })
    const frames: string[] = []
    socket.on('message', (data) => frames.push(String(data)))
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'subscribe', patterns: ['call.*'], recover }))
    await expect.poll(() => frames.length, { timeout: 10_000 }).toBeGreaterThan(0)
    return {
      socket,
      frames,
      subscribed: JSON.parse(frames[0]!) as { epoch: string; offset: number; recovered: boolean },
    }
  }
  const mine = await follow(acme)
  const theirs = await follow(other)
  const secret = anEvent('RINGING')
  await post(one!, secret, acme.key)
  await expect.poll(() => mine.frames.join(''), { timeout: 10_000 }).toContain(secret.eventId)
  const { epoch, offset } = mine.subscribed
  expect(theirs.subscribed.epoch).not.toBe(epoch)
  const guesses = [
    { epoch, offset },
    { epoch, offset: 0 },
    { epoch: theirs.subscribed.epoch, offset: 0 },
  ]
  for (const guess of guesses) {
    const thief = await follow(other, guess)
    const event = anEvent('RINGING')
    await post(one!, event, other.key)
    await expect.poll(() => thief.frames.join(''), { timeout: 10_000 }).toContain(event.eventId)
    expect(thief.frames.join('')).not.toContain(secret.eventId)
    expect(thief.subscribed.recovered).toBe(guess.epoch === theirs.subscribed.epoch)
    thief.socket.close()
  }
  expect((await follow(acme, { epoch, offset })).subscribed.recovered).toBe(true)
  for (const { socket } of [mine, theirs]) socket.close()
})

test('the rate of a tenant is one for all instances together, and another tenant does not feel it', async () => {
  const began = performance.now()
  const pending: Promise<{ status: number; headers: Headers }>[] = []
  // Twice what is allowed, half of it through each instance, for three seconds.
  while (performance.now() - began < 3_000) {
    const due = ((performance.now() - began) / 1000) * 2 * RATE
    while (pending.length < due) {
      pending.push(get(platform.instances[pending.length % 2]!, `${ROUTES.reportCalls}?limit=1`, acme.key))
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect((await get(platform.instances[0]!, ROUTES.reportCalls, other.key)).status).toBe(200)
  const answers = await Promise.all(pending)
  const seconds = (performance.now() - began) / 1000
  const taken = answers.filter(({ status }) => status === 200).length
  const refused = answers.filter(({ status }) => status === 429)
  expect(taken + refused.length).toBe(answers.length)
  expect(refused.length).toBeGreaterThan(0)
  for (const { headers } of refused) expect(headers.get('retry-after')).toBe('1')
  // Each second may have what both took before they told each other, a tenth of it; the first and last are cut off.
  expect(taken).toBeLessThan(1.35 * RATE * (Math.ceil(seconds) + 1))
  expect(taken).toBeGreaterThan(RATE)
})
