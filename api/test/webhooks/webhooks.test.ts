/** Webhooks on whole instances, to a real receiver. */
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { apiProcess } from '../platform/api-process.ts'
import {
  type Answer,
  anEvent,
  type Platform,
  post,
  type Running,
  runningPlatform,
  type Tenant,
} from '../platform/running-platform.ts'
import { type Receiver, receiver } from './receiver.ts'

vi.setConfig({ testTimeout: 60_000 })

const WEBHOOKS_ON = {
  WEBHOOK_KEYS: Buffer.alloc(32, 7).toString('base64'),
  WEBHOOK_ALLOW_HTTP: 'true',
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
  WEBHOOK_TIMEOUT_MS: '1000',
  WEBHOOK_RETRY_AFTER_MS: '50',
  TENANT_RATE_PER_SECOND: '100000',
}
const SCOPES = ['events:write', 'webhooks:write']
const soon = { timeoutMs: 30_000, everyMs: 20 }

let platform: Platform
beforeAll(async () => {
  platform = await runningPlatform(2, WEBHOOKS_ON)
})
afterAll(() => platform.close())
let open: Receiver[] = []
afterEach(async () => {
  await platform.query('delete from hopwhistle.webhooks')
  await Promise.all(open.map((one) => one.close()))
  open = []
})

const at = (i: number, of = platform) => of.instances[i % of.instances.length] as Running

async function ask(method: string, path: string, key: string, body?: unknown, to = at(0)): Promise<Answer> {
  const response = await fetch(to.url + path, {
    method,
    headers: { 'x-api-key': key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}
const of = (id: string, what = '') => `${ROUTES.webhooks}/${id}${what}`

async function newReceiver(): Promise<Receiver> {
  const made = await receiver()
  open.push(made)
  return made
}

/** A receiver that a tenant has subscribed, which verifies every signature. */
async function subscribed(tenant: Tenant, given: object = {}, on = platform) {
  const to = await newReceiver()
  const made = await ask(
    'POST',
    ROUTES.webhooks,
    tenant.key,
    { url: to.url, patterns: ['call.*'], ...given },
    at(0, on),
  )
  expect([made.status, made.body.state], JSON.stringify(made.body)).toEqual([201, 'active'])
  to.secret(made.body.secret)
  return { to, id: made.body.id as string, secret: made.body.secret as string }
}

const STATES = ['INITIATED', 'RINGING', 'ANSWERED', 'COMPLETED'] as const
/** All states of so many calls, each call's in order, by both instances. @returns the ids of their events by call */
async function sendCalls(
  tenant: Tenant,
  calls: number,
  on = platform,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const sent = new Map<string, readonly string[]>()
  await Promise.all(
    Array.from({ length: calls }, async (_, n) => {
      const callId = `call ${n} ü ${Math.random()}`
      const ids: string[] = []
      for (const [i, state] of STATES.entries()) {
        const event = anEvent(state, { callId, occurredAt: new Date(Date.now() + i).toISOString(), metadata: { n } })
        expect((await post(at(n + i, on), event, tenant.key)).status).toBe(201)
        ids.push(event.eventId)
      }
      sent.set(callId, ids)
    }),
  )
  return sent
}
const outboxOf = async ({ id }: Tenant) =>
  (await platform.query('select from hopwhistle.outbox where tenant_id = $1', [id])).length
const total = (sent: ReadonlyMap<string, readonly string[]>) => [...sent.values()].flat().length
const idsOf = (received: Receiver['received'], callId?: string) =>
  received
    .filter(({ body }) => callId === undefined || body.data.callId === callId)
    .map(({ body }) => body.data.eventId)
/** As they came first: a repetition of the latest one is what at least once means. */
const inOrderOnce = (ids: readonly string[]) => ids.filter((id, i) => ids.indexOf(id) === i)
const hasAll = (to: Receiver, sent: ReadonlyMap<string, readonly string[]>) => () =>
  new Set(idsOf(to.accepted)).size >= total(sent)

test('events are delivered signed, in order per call, once each while nothing fails', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to } = await subscribed(tenant)
  const sent = await sendCalls(tenant, 40)
  await waitUntil('all events', hasAll(to, sent), soon)
  for (const [callId, ids] of sent) expect(idsOf(to.received, callId)).toEqual(ids)
  const [first] = to.received
  expect(first?.body).toMatchObject({
    type: 'call.initiated',
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    data: { state: 'INITIATED', sequence: 1, outcome: 'applied', metadata: { n: expect.any(Number) } },
  })
  expect(first?.id).toMatch(/^msg_[\w-]{24}$/)
  // And what has been read is in the log, and no longer in the outbox.
  await waitUntil('an empty outbox', async () => (await outboxOf(tenant)) === 0, soon)
})

test('labels and metadata of an event come as they were sent', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to } = await subscribed(tenant)
  expect((await ask('PUT', ROUTES.labels, tenant.key, { labels: ['campaign'] })).status).toBe(200)
  const given = [
    { labels: { campaign: 'spring' }, metadata: { queue: 'sales' } },
    { labels: { campaign: 'spring' } },
    { metadata: { queue: 'sales' } },
    {},
  ]
  const events = given.map((more) => anEvent('RINGING', more))
  for (const event of events)
    await waitUntil('the names to be known', async () => (await post(at(0), event, tenant.key)).status < 300, soon)
  await waitUntil('all events', () => to.accepted.length >= events.length, soon)
  for (const [i, { eventId }] of events.entries()) {
    const { data } = to.accepted.find(({ body }) => body.data.eventId === eventId)!.body
    expect({ labels: data.labels, metadata: data.metadata }).toEqual({
      labels: undefined,
      metadata: undefined,
      ...given[i],
    })
  }
})

test('only the types that were asked for are sent, and only events from then on', async () => {
  const tenant = await platform.newTenant(SCOPES)
  await sendCalls(tenant, 2)
  const { to } = await subscribed(tenant, { patterns: ['call.answered', 'call.completed'] })
  const sent = await sendCalls(tenant, 5)
  await waitUntil('its events', () => to.accepted.length >= 10, soon)
  expect(idsOf(to.accepted).toSorted()).toEqual([...sent.values()].flatMap((ids) => ids.slice(2)).toSorted())
})

test('while attempts fail, each call keeps its order and nothing is lost', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to } = await subscribed(tenant)
  let asked = 0
  to.answer(() => {
    asked += 1
    return asked % 3 === 0 ? 500 : asked % 7 === 0 ? 'reset' : 200
  })
  const sent = await sendCalls(tenant, 30)
  await waitUntil('all events', hasAll(to, sent), soon)
  for (const [callId, ids] of sent) {
    expect(inOrderOnce(idsOf(to.accepted, callId)), callId).toEqual(ids)
    // No event is even tried before the one before it was accepted.
    expect(inOrderOnce(idsOf(to.received, callId)), callId).toEqual(ids)
  }
  // Every attempt at an event has the same id.
  for (const { id, body } of to.received) {
    expect(
      new Set(to.received.filter((one) => one.body.data.eventId === body.data.eventId).map((one) => one.id)),
    ).toEqual(new Set([id]))
  }
})

test('one event that is never accepted keeps only its own call waiting, and is given up in the end', async () => {
  const short = await runningPlatform(1, { ...WEBHOOKS_ON, WEBHOOK_RETRY_FOR_MS: '1500' })
  onTestFinished(() => short.close())
  const tenant = await short.newTenant(SCOPES)
  const { to, id } = await subscribed(tenant, {}, short)
  const poison = anEvent('INITIATED', { callId: 'poison' })
  to.answer(({ body }) => (body.data.eventId === poison.eventId ? 500 : 200))
  await post(at(0, short), poison, tenant.key)
  const after = anEvent('COMPLETED', { callId: 'poison' })
  await post(at(0, short), after, tenant.key)
  // Something is delivered all the time, so that the webhook is not taken for dead.
  let stop = false
  const others = (async () => {
    while (!stop) await sendCalls(tenant, 1, short)
  })()
  await waitUntil('the event after it', () => idsOf(to.accepted).includes(after.eventId), soon)
  stop = true
  await others
  expect(idsOf(to.accepted)).not.toContain(poison.eventId)
  expect((await ask('GET', of(id), tenant.key, undefined, at(0, short))).body.state).toBe('active')
})

test("a tenant's dead endpoint delays no other tenant's, and is asked one at a time", async () => {
  const [dead, alive] = [await platform.newTenant(SCOPES), await platform.newTenant(SCOPES)]
  const ofDead = await subscribed(dead)
  const ofAlive = await subscribed(alive)
  ofDead.to.answer(() => 'hang')
  await sendCalls(dead, 60)
  await waitUntil(
    'the circuit to open',
    async () => (await ask('GET', of(ofDead.id), dead.key)).body.failingSince !== null,
    soon,
  )
  ofDead.to.busiest()
  const startedAt = performance.now()
  const sent = await sendCalls(alive, 30)
  await waitUntil('all events of the other', hasAll(ofAlive.to, sent), soon)
  const tookMs = performance.now() - startedAt
  expect(tookMs, 'longer than the timeout of one request would be too long').toBeLessThan(8_000)
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  ofDead.to.busiest()
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect(ofDead.to.busiest()).toBeLessThanOrEqual(2)
  // It comes back: all that was missed follows, each call in order.
  ofDead.to.answer(() => 200)
  await waitUntil('all events of the one that was dead', () => ofDead.to.accepted.length >= 240, soon)
  for (const callId of new Set(ofDead.to.accepted.map(({ body }) => body.data.callId as string))) {
    const states = ofDead.to.accepted
      .filter(({ body }) => body.data.callId === callId)
      .map(({ body }) => body.data.state)
    expect(states.filter((state, i) => states.indexOf(state) === i)).toEqual([...STATES])
  }
})

test('when the instance that delivers is killed, another goes on: nothing is missing, and each call is in order', async () => {
  const alone = await runningPlatform(0)
  onTestFinished(() => alone.close())
  const [first, second] = await Promise.all([apiProcess(alone, WEBHOOKS_ON), apiProcess(alone, WEBHOOKS_ON)])
  onTestFinished(() => {
    for (const { process } of [first, second]) process.kill('SIGKILL')
  })
  const on: Platform = {
    ...alone,
    instances: [first, second].map(({ url }) => ({ url, adminUrl: url, instance: undefined as never })),
  }
  const tenant = await on.newTenant(SCOPES)
  const { to } = await subscribed(tenant, {}, on)
  // The one that made it delivers it.
  let slowly = 0
  to.answer(async () => {
    slowly += 1
    await new Promise((resolve) => setTimeout(resolve, 20))
    return slowly % 9 === 0 ? 503 : 200
  })
  const before = await sendCalls(tenant, 40, on)
  await waitUntil('some events', () => to.accepted.length > 20, soon)
  first.process.kill('SIGKILL')
  const survivor: Platform = { ...on, instances: on.instances.slice(1) }
  const after = await sendCalls(tenant, 10, survivor)
  const sent = new Map([...before, ...after])
  await waitUntil('all events', hasAll(to, sent), { ...soon, timeoutMs: 60_000 })
  for (const [callId, ids] of sent) expect(inOrderOnce(idsOf(to.accepted, callId)), callId).toEqual(ids)
})

test('a batch that is committed after one with a larger number is not skipped', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to } = await subscribed(tenant)
  const late = await connectPostgres(platform.database.ownerUrl)
  await late.query('begin')
  await late.query(
    `with stored as (
       insert into hopwhistle.call_events (tenant_id, event_id, call_id, state, occurred_at, received_at, place)
       values ($1, 'late', 'another call', 0, now(), now(), 1))
     insert into hopwhistle.outbox (tenant_id, event_ids) values ($1, '{late}')`,
    [tenant.id],
  )
  const sent = await sendCalls(tenant, 2)
  // Longer than it takes otherwise: what is behind the one that is open waits for it.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect(to.received).toEqual([])
  await late.query('commit')
  await late.end()
  await waitUntil('all events', hasAll(to, new Map([...sent, ['another call', ['late']]])), soon)
  expect(idsOf(to.accepted)).toContain('late')
})

test('a transaction that writes no events holds up none, however long it is open', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to } = await subscribed(tenant)
  const elsewhere = await connectPostgres(platform.database.ownerUrl)
  await elsewhere.query('begin')
  await elsewhere.query("insert into hopwhistle.tenants (id, name) values (gen_random_uuid(), 'never committed')")
  const sent = await sendCalls(tenant, 2)
  await waitUntil('all events', hasAll(to, sent), soon)
  const more = await sendCalls(tenant, 2)
  await waitUntil('more events', hasAll(to, new Map([...sent, ...more])), soon)
  await elsewhere.query('rollback')
  await elsewhere.end()
})

test('only one instance delivers a webhook at a time', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to } = await subscribed(tenant)
  const sent = await sendCalls(tenant, 50)
  await waitUntil('all events', hasAll(to, sent), soon)
  // Longer than a lease lasts.
  await new Promise((resolve) => setTimeout(resolve, 4_000))
  const more = await sendCalls(tenant, 5)
  await waitUntil('all events', hasAll(to, new Map([...sent, ...more])), soon)
  expect(idsOf(to.received)).toHaveLength(total(sent) + total(more))
})

test('after an offset everything is sent again with the same ids, in order', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to, id } = await subscribed(tenant)
  const made = (await ask('GET', of(id), tenant.key)).body
  const sent = await sendCalls(tenant, 5)
  await waitUntil('all events', hasAll(to, sent), soon)
  const seen = to.accepted.length
  const attempts = async () => (await ask('GET', of(id, '/deliveries'), tenant.key)).body.deliveries
  const seenThere = async () => (await attempts()).map((one: { eventId: string }) => one.eventId).toSorted()
  const accepted = JSON.stringify(idsOf(to.accepted).toSorted())
  await waitUntil('all of them in its deliveries', async () => JSON.stringify(await seenThere()) === accepted, soon)
  const first = to.accepted.find(({ body }) => body.data.sequence === 1)
  const answer = await ask('POST', of(id, '/replay'), tenant.key, { after: first?.body.offset })
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  const sameCall = () => idsOf(to.accepted.slice(seen), first?.body.data.callId)
  await waitUntil('the rest of its call again', () => sameCall().length >= 3, soon)
  expect(sameCall()).toEqual(sent.get(first?.body.data.callId)?.slice(1))
  const idOf = new Map(to.accepted.slice(0, seen).map((one) => [one.body.data.eventId, one.id]))
  for (const again of to.accepted.slice(seen)) expect(again.id).toBe(idOf.get(again.body.data.eventId))

  const forged = await ask('POST', of(id, '/replay'), tenant.key, { after: 'AAAA' })
  expect([forged.status, forged.body.code]).toEqual([400, 'invalid-request'])
  // From the beginning, and not from what is too old.
  expect((await ask('POST', of(id, '/replay'), tenant.key, { after: made.offset })).status).toBe(200)
  await waitUntil('an empty outbox', async () => (await outboxOf(tenant)) === 0, soon)
  await platform.query("select hopwhistle.forget_webhook_log('0 hours', 1000)")
  const old = await ask('POST', of(id, '/replay'), tenant.key, { after: first?.body.offset })
  expect([old.status, old.body.code]).toEqual([410, 'offset-gone'])
})

test('a webhook to which nothing is delivered for long is disabled, says so, and goes on when it is enabled', async () => {
  const short = await runningPlatform(1, { ...WEBHOOKS_ON, WEBHOOK_RETRY_FOR_MS: '1000' })
  onTestFinished(() => short.close())
  const tenant = await short.newTenant(SCOPES)
  const { to, id } = await subscribed(tenant, {}, short)
  to.answer(() => 500)
  const sent = await sendCalls(tenant, 10, short)
  const find = async () => (await ask('GET', of(id), tenant.key, undefined, at(0, short))).body
  await waitUntil('it to be disabled', async () => (await find()).state === 'disabled', soon)
  expect(await find()).toMatchObject({ disabledBecause: 'failing' })
  const metrics = await (await fetch(at(0, short).url + ROUTES.metrics)).text()
  expect(metrics).toContain('hopwhistle_webhooks_disabled_total{reason="failing"} 1')
  const asked = to.received.length
  const more = await sendCalls(tenant, 2, short)
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect(to.received.length, 'nothing is sent to it any more').toBe(asked)

  to.answer(() => 200)
  expect((await ask('PATCH', of(id), tenant.key, { enabled: true }, at(0, short))).body).toMatchObject({
    state: 'active',
    failingSince: null,
  })
  await waitUntil('all events', hasAll(to, new Map([...sent, ...more])), soon)
  for (const [callId, ids] of sent) expect(inOrderOnce(idsOf(to.accepted, callId))).toEqual(ids)
  expect(
    (
      await short.query<{ action: string; by_whom: string }>(
        'select action, by_whom from hopwhistle.webhook_audit order by id',
      )
    ).map(({ action, by_whom }) => `${action} by ${by_whom.split(' ')[0]}`),
  ).toEqual(['made by key', 'disabled by the', 'active by key'])
})

test('one that answers 410 is disabled at once', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to, id } = await subscribed(tenant)
  to.answer(() => 410)
  await sendCalls(tenant, 1)
  await waitUntil(
    'it to be disabled',
    async () => (await ask('GET', of(id), tenant.key)).body.state === 'disabled',
    soon,
  )
  expect((await ask('GET', of(id), tenant.key)).body.disabledBecause).toBe('gone')
})

test('a secret is shown once; a new one signs together with the old one for a while', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to, id, secret } = await subscribed(tenant)
  for (const path of [ROUTES.webhooks, of(id)]) {
    expect(JSON.stringify((await ask('GET', path, tenant.key)).body)).not.toContain('whsec_')
  }
  const stored = await platform.query<{ row: string }>(
    'select w::text as row from hopwhistle.webhooks w where id = $1',
    [id],
  )
  expect(stored[0]?.row).not.toContain(secret.slice(6, 30))
  const rotated = await ask('POST', of(id, '/secret'), tenant.key, {})
  expect(rotated.body).toMatchObject({ secret: expect.stringMatching(/^whsec_/), previousUntil: expect.any(String) })
  const sent = await sendCalls(tenant, 1)
  await waitUntil('its events, verified with the old one', hasAll(to, sent), soon)
  to.secret(rotated.body.secret)
  const more = await sendCalls(tenant, 1)
  await waitUntil('its events, verified with the new one', hasAll(to, new Map([...sent, ...more])), soon)
})

test('a paused webhook gets what it has missed when it goes on; a deleted one gets nothing, and leaves no log', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to, id } = await subscribed(tenant)
  expect((await ask('PATCH', of(id), tenant.key, { enabled: false })).body.state).toBe('paused')
  const sent = await sendCalls(tenant, 3)
  expect(to.received).toEqual([])
  await ask('PATCH', of(id), tenant.key, { enabled: true })
  await waitUntil('all events', hasAll(to, sent), soon)
  expect((await ask('DELETE', of(id), tenant.key)).status).toBe(204)
  expect((await ask('GET', of(id), tenant.key)).body.code).toBe('webhook-not-found')
  const seen = to.received.length
  await sendCalls(tenant, 2)
  await new Promise((resolve) => setTimeout(resolve, 800))
  expect(to.received).toHaveLength(seen)
  await platform.query("select hopwhistle.forget_webhook_log('3 days', 1000)")
  expect(await platform.query('select from hopwhistle.webhook_log where tenant_id = $1', [tenant.id])).toEqual([])
})

test('more than is read at a time is delivered to its end, also where each batch has one event', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to, id } = await subscribed(tenant)
  await ask('PATCH', of(id), tenant.key, { enabled: false })
  const events = Array.from({ length: 230 }, () => anEvent('INITIATED'))
  for (const event of events) await post(at(0), event, tenant.key)
  await ask('PATCH', of(id), tenant.key, { enabled: true })
  await waitUntil('all events', () => new Set(idsOf(to.accepted)).size >= events.length, soon)
  expect(new Set(idsOf(to.accepted))).toEqual(new Set(events.map(({ eventId }) => eventId)))
})

test('a test is sent at once, and says what was answered', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to, id } = await subscribed(tenant)
  to.answer(() => 503)
  expect((await ask('POST', of(id, '/test'), tenant.key)).body).toMatchObject({ delivered: false, status: 503 })
  expect(to.received[0]?.body).toMatchObject({ type: 'webhook.test', data: { webhookId: id } })
})

test('another tenant can neither see nor change a webhook, and one has ten at most', async () => {
  const [tenant, thief] = [await platform.newTenant(SCOPES), await platform.newTenant(SCOPES)]
  const { to, id } = await subscribed(tenant)
  for (const [method, path, body] of [
    ['GET', of(id)],
    ['PATCH', of(id), { enabled: false }],
    ['DELETE', of(id)],
    ['POST', of(id, '/secret'), {}],
    ['POST', of(id, '/test')],
    ['GET', of(id, '/deliveries')],
  ] as const) {
    const answer = await ask(method, path, thief.key, body)
    expect([answer.status, answer.body.code], `${method} ${path}`).toEqual([404, 'webhook-not-found'])
  }
  expect((await ask('GET', ROUTES.webhooks, thief.key)).body).toEqual({ webhooks: [] })
  const sent = await sendCalls(tenant, 1)
  await waitUntil('all events', hasAll(to, sent), soon)
  const stolen = await ask('POST', of(id, '/replay'), thief.key, { after: to.accepted[0]?.body.offset })
  expect(stolen.status).toBe(400)

  const made = await Promise.all(
    Array.from({ length: 12 }, () => ask('POST', ROUTES.webhooks, thief.key, { url: to.url, patterns: ['call.busy'] })),
  )
  expect(made.filter(({ status }) => status === 201)).toHaveLength(10)
  expect(made.find(({ status }) => status !== 201)?.body.code).toBe('too-many-webhooks')
})

test('what cannot be a webhook is refused by field', async () => {
  const tenant = await platform.newTenant(SCOPES)
  for (const [given, field] of [
    [{ url: 'https://10.0.0.1/', patterns: ['call.*'] }, 'url'],
    [{ url: 'https://[::1]/', patterns: ['call.*'] }, 'url'],
    [{ url: 'nonsense', patterns: ['call.*'] }, 'url'],
    [{ url: 'https://a.example/', patterns: ['call.nothing'] }, 'patterns'],
    [{ url: 'https://a.example/', patterns: [] }, 'patterns'],
    [{ url: 'https://a.example/' }, 'patterns'],
  ] as const) {
    const answer = await ask('POST', ROUTES.webhooks, tenant.key, given)
    expect([answer.status, answer.body.code], JSON.stringify(given)).toEqual([400, 'invalid-request'])
    expect(JSON.stringify(answer.body.errors)).toContain(field)
  }
  const other = await platform.newTenant(['events:write', 'reports:read', 'live:read'])
  expect((await ask('GET', ROUTES.webhooks, other.key)).body.code).toBe('missing-scope')
})

test('what is erased of an event is not sent any more', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to } = await subscribed(tenant)
  to.answer(() => 500)
  const event = anEvent('RINGING', { from: '+4930123456' })
  await post(at(0), event, tenant.key)
  await waitUntil('an attempt', () => to.received.length > 0, soon)
  expect(to.received[0]?.body.data.from).toBe('+4930123456')
  await platform.query('update hopwhistle.call_events set from_number = null where tenant_id = $1', [tenant.id])
  to.answer(() => 200)
  await waitUntil('its delivery', () => to.accepted.length > 0, soon)
  expect(to.accepted[0]?.body.data).not.toHaveProperty('from')
})

test('nor is what was read ahead for a receiver that is slow', async () => {
  const tenant = await platform.newTenant(SCOPES)
  const { to } = await subscribed(tenant)
  to.answer(async () => {
    await new Promise((resolve) => setTimeout(resolve, 900))
    return 200
  })
  const events = Array.from({ length: 100 }, () => anEvent('RINGING', { from: '+4930123456' }))
  expect((await post(at(0), { events }, tenant.key, ROUTES.callEvents)).status).toBe(200)
  await waitUntil('the first of them', () => to.received.length > 0, soon)
  await platform.query('update hopwhistle.call_events set from_number = null where tenant_id = $1', [tenant.id])
  // As long as other memory of an instance keeps what was erased.
  const goneAt = performance.now() + 3_000
  await waitUntil('all of them', () => to.received.length >= 100, soon)
  const late = to.received.filter(({ at }) => at > goneAt)
  expect(late.length).toBeGreaterThan(0)
  for (const { body } of late) expect(body.data).not.toHaveProperty('from')
})

test("a tenant's slow endpoints do not use up the memory in which another tenant's events are read", async () => {
  const small = await runningPlatform(1, {
    ...WEBHOOKS_ON,
    WEBHOOK_TIMEOUT_MS: '60000',
    MEMORY_LIMIT_BYTES: String(512 * 1_048_576),
  })
  const over = Promise.withResolvers<number>()
  onTestFinished(() => {
    over.resolve(200)
    return small.close()
  })
  const [many, quiet] = [await small.newTenant(SCOPES), await small.newTenant(SCOPES)]
  const slow = await newReceiver()
  slow.answer(() => over.promise)
  for (let made = 0; made < 10; made++) {
    const given = { url: slow.url, patterns: ['call.*'] }
    expect((await ask('POST', ROUTES.webhooks, many.key, given, at(0, small))).status).toBe(201)
  }
  const { to } = await subscribed(quiet, {}, small)
  const metadata = { long: Array(25).fill(1e308) }
  for (let sent = 0; sent < 500; sent += 100) {
    const events = Array.from({ length: 100 }, () => anEvent('RINGING', { metadata }))
    expect((await post(at(0, small), { events }, many.key, ROUTES.callEvents)).status).toBe(200)
  }
  await waitUntil('its endpoints to be slow', () => slow.busiest() >= 60, soon)
  const sent = await sendCalls(quiet, 1, small)
  await waitUntil("the other's events", hasAll(to, sent), soon)
  expect(slow.accepted).toEqual([])
})

test('without WEBHOOK_KEYS there are none: the routes say so, and nothing is kept', async () => {
  const off = await runningPlatform(1)
  onTestFinished(() => off.close())
  const tenant = await off.newTenant(SCOPES)
  const answer = await ask('GET', ROUTES.webhooks, tenant.key, undefined, at(0, off))
  expect([answer.status, answer.body.code]).toEqual([501, 'webhooks-off'])
  await sendCalls(tenant, 3, off)
  await waitUntil('an empty outbox', async () => (await off.query('select from hopwhistle.outbox')).length === 0, soon)
  expect(await off.query('select from hopwhistle.webhook_log')).toEqual([])
})
