import type { CallState } from '@hopwhistle/contract/calls.ts'
import { EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { startTcpProxy } from '../../../platform/test-support/tcp-proxy.ts'
import type { CallEvent } from '../../src/calls/call-event.ts'
import { mayBeLongWhenStored, storedBytes } from '../../src/calls/stored-size.ts'
import {
  CallFull,
  DatabaseUnavailable,
  EventConflict,
  IngestOverloaded,
  InvalidRequest,
  OverShare,
  ShuttingDown,
} from '../../src/errors/catalogue.ts'
import type { CallStore } from './call-store.ts'
import { callEvent, callStore } from './call-store.ts'
import { foldedRollups, plainHours } from './rollups.ts'

let store: CallStore
beforeAll(async () => {
  store = await callStore()
})
afterAll(() => store.close())

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

const storedEvents = (tenantId: string) =>
  store
    .query<{ n: number }>('select count(*)::int as n from hopwhistle.call_events where tenant_id = $1', [tenantId])
    .then((rows) => rows[0]?.n)

test('an event is answered with what became of it, once it is committed', async () => {
  const tenantId = await store.newTenant()
  const ingest = store.ingest()
  const first = callEvent('RINGING')
  const answer = await ingest.submit(tenantId, first)
  expect(answer).toMatchObject({
    outcome: 'applied',
    callState: 'RINGING',
    position: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
  })
  expect(await storedEvents(tenantId)).toBe(1)

  const { callId } = first
  expect(await ingest.submit(tenantId, callEvent('COMPLETED', { callId }))).toMatchObject({
    outcome: 'applied',
    callState: 'COMPLETED',
  })
  expect(await ingest.submit(tenantId, callEvent('INITIATED', { callId }))).toMatchObject({
    outcome: 'late',
    callState: 'COMPLETED',
  })
  expect(await ingest.submit(tenantId, callEvent('BUSY', { callId, occurredAt: Date.now() + 1_000 }))).toMatchObject({
    outcome: 'late',
    callState: 'COMPLETED',
  })
  expect(await ingest.submit(tenantId, first)).toMatchObject({ outcome: 'duplicate', callState: 'COMPLETED' })
})

test('the same event id with other content is refused, and changes nothing', async () => {
  const tenantId = await store.newTenant()
  const ingest = store.ingest()
  const event = callEvent('RINGING', { from: '+1', metadata: '{"a":[1,2],"b":null}' })
  await ingest.submit(tenantId, event)
  const others: Partial<CallEvent>[] = [
    { state: 'COMPLETED' },
    { callId: 'another' },
    { occurredAt: event.occurredAt + 1 },
    { direction: 'inbound' },
    { from: undefined },
    { to: '+2' },
    { metadata: '{"a":[2,1],"b":null}' },
  ]
  for (const other of others) {
    expect(await caught(ingest.submit(tenantId, { ...event, ...other })), JSON.stringify(other)).toSatisfy(
      EventConflict.is,
    )
  }
  expect(await caught(ingest.submit(tenantId, { ...event, metadata: '{"b": null, "a": [1, 2]}' }))).toBeUndefined()
  expect([...(await store.calls(tenantId)).values()]).toMatchObject([{ state: 'RINGING' }])
})

test('two tenants may use the same ids', async () => {
  const [one, other] = [await store.newTenant(), await store.newTenant()]
  const ingest = store.ingest()
  const event = callEvent('RINGING')
  const answers = await Promise.all([ingest.submit(one, event), ingest.submit(other, { ...event, state: 'BUSY' })])
  expect(answers).toMatchObject([
    { outcome: 'applied', callState: 'RINGING' },
    { outcome: 'applied', callState: 'BUSY' },
  ])
})

test('events sent to two instances at once, over and over, are each stored once, and no batch deadlocks', async () => {
  const tenantId = await store.newTenant()
  const instances = [store.ingest({ ingestBatchMax: 40 }), store.ingest({ ingestBatchMax: 40 })]
  const states: CallState[] = ['INITIATED', 'RINGING', 'ANSWERED', 'COMPLETED']
  const events = Array.from({ length: 60 }, (_, call) =>
    states.map((state, step) =>
      callEvent(state, {
        callId: `call-${call}`,
        eventId: `event-${(call * 37) % 60}-${step}`,
        occurredAt: Date.now() - 9000 + step,
      }),
    ),
  ).flat()
  const sends = instances.flatMap((ingest, i) =>
    [1, 2].flatMap((copy) =>
      // Each instance and copy in an order of its own.
      events
        .map((_, n) => events[(n * [7, 11, 13, 17][i * 2 + copy - 1]!) % events.length] as CallEvent)
        .map((event) => ({ ingest, event })),
    ),
  )
  const answers = await Promise.all(sends.map(({ ingest, event }) => ingest.submit(tenantId, event)))

  const stored = answers.filter((answer) => answer.outcome !== 'duplicate')
  expect(stored).toHaveLength(events.length)
  expect(await storedEvents(tenantId)).toBe(events.length)
  const calls = await store.calls(tenantId)
  expect(calls.size).toBe(60)
  expect(new Set([...calls.values()].map((call) => call.state))).toEqual(new Set(['COMPLETED']))
  const messages = instances.flatMap((ingest) => ingest.published.flatMap((batch) => batch.messages))
  expect(messages).toHaveLength(events.length)
  expect(new Set(messages.map((message) => message.eventId)).size).toBe(events.length)

  for (const ingest of instances) {
    const { values } = await ingest.metrics.ingestRetries.get()
    expect(values.filter(({ value }) => value > 0)).toEqual([])
  }
  await waitUntil(
    'everything pending to be folded',
    async () => {
      await store.query('select hopwhistle.fold_call_metrics()')
      const pending = await store.query('select from hopwhistle.call_metrics_pending where tenant_id = $1', [tenantId])
      return pending.length === 0
    },
    { timeoutMs: 10_000 },
  )
  expect(await foldedRollups(store, tenantId, 'hourly')).toEqual(plainHours(calls.values()))
})

test('the events of a call are numbered in the order of commit, whichever instance commits them', async () => {
  const tenantId = await store.newTenant()
  const instances = [store.ingest(), store.ingest()]
  const callId = 'one-call'
  const submitted = Array.from({ length: 200 }, (_, i) =>
    instances[i % 2]?.submit(tenantId, callEvent('RINGING', { callId })),
  )
  await Promise.all(submitted)
  const last = callEvent('COMPLETED', { callId })
  await instances[0]?.submit(tenantId, last)
  const messages = instances.flatMap(({ published }) => published.flatMap((batch) => batch.messages))
  const inOrder = messages.toSorted((a, b) => Number(a.sequence) - Number(b.sequence))
  expect(inOrder.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 201 }, (_, i) => i + 1))
  expect(inOrder.at(-1)?.eventId).toBe(last.eventId)
})

test('a correction replaces the final state, and subscribers are told that it is one', async () => {
  const tenantId = await store.newTenant()
  const ingest = store.ingest()
  const busy = callEvent('BUSY', { occurredAt: Date.now() - 1_000 })
  const { callId } = busy
  await ingest.submit(tenantId, busy)
  const correction = callEvent('COMPLETED', { callId, corrects: true })
  expect(await ingest.submit(tenantId, correction)).toMatchObject({ outcome: 'applied', callState: 'COMPLETED' })
  const failed = callEvent('FAILED', { callId, occurredAt: Date.now() - 5_000 })
  expect(await ingest.submit(tenantId, failed)).toMatchObject({ outcome: 'late', callState: 'COMPLETED' })
  expect(await ingest.submit(tenantId, correction)).toMatchObject({ outcome: 'duplicate' })
  const other = { ...correction, corrects: undefined }
  expect(await caught(ingest.submit(tenantId, other))).toSatisfy(EventConflict.is)
  expect(ingest.published.flatMap(({ messages }) => messages)).toMatchObject([
    { type: 'call.busy' },
    { type: 'call.completed', corrects: true },
    { type: 'call.failed', outcome: 'late' },
  ])
})

test('an event that cannot be stored is refused alone, whatever it shares a batch with', async () => {
  const tenantId = await store.newTenant()
  const ingest = store.ingest()
  const events = Array.from({ length: 50 }, (_, i) =>
    callEvent('RINGING', i === 17 || i === 31 ? { from: '+1\u0000' } : {}),
  )
  const results = await Promise.allSettled(events.map((event) => ingest.submit(tenantId, event)))
  expect(results.flatMap((result, i) => (result.status === 'rejected' ? [i] : []))).toEqual([17, 31])
  expect(results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))).toSatisfy(
    (all: unknown[]) => all.every(InvalidRequest.is),
  )
  expect(await storedEvents(tenantId)).toBe(48)
})

test('a full queue refuses at once, and takes events again when it has room', async () => {
  const tenants = await Promise.all([1, 2, 3, 4].map(() => store.newTenant()))
  const ingest = store.ingest({ ingestQueue: 3 })
  const accepted = tenants.slice(0, 3).map((tenantId) => ingest.submit(tenantId, callEvent('RINGING')))
  const refused = await caught(ingest.submit(tenants[3]!, callEvent('RINGING')))
  expect(refused).toSatisfy(IngestOverloaded.is)
  expect(refused).toMatchObject({ status: 503, retryAfterSeconds: 1 })
  const metrics = await ingest.metrics.scrape()
  expect(metrics).toMatch(/hopwhistle_ingest_queue_events 3/)
  expect(metrics).toMatch(/hopwhistle_rejected_total\{reason="ingest-overloaded"\} 1/)
  await Promise.all(accepted)
  await waitUntil('room', () => ingest.queued() === 0, { timeoutMs: 1_000, everyMs: 1 })
  await ingest.submit(tenants[3]!, callEvent('RINGING'))
})

test('a tenant that has filled its share of the queue is refused alone, and as what it is', async () => {
  const [flood, quiet] = [await store.newTenant(), await store.newTenant()]
  const ingest = store.ingest({ ingestQueue: 100 })
  const sent = Array.from({ length: 100 }, () => caught(ingest.submit(flood, callEvent('RINGING'))))
  expect(ingest.refusal(flood)).toMatchObject({ code: 'over-share', status: 429, retryAfterSeconds: 1 })
  expect(ingest.refusal(quiet)).toBeUndefined()
  const quietly = ingest.submit(quiet, callEvent('RINGING'))
  const refused = (await Promise.all(sent)).filter((error) => error !== undefined)
  expect(refused).toHaveLength(20)
  expect(refused).toSatisfy((all: unknown[]) => all.every(OverShare.is))
  expect(await quietly).toMatchObject({ outcome: 'applied' })
})

test('a call takes so many events and no more, one by one and in batches, and what it has is still a duplicate', async () => {
  const tenantId = await store.newTenant()
  const ingest = store.ingest()
  const callId = 'full'
  const most = EVENT_BOUNDS.eventsPerCall
  const events = Array.from({ length: most }, () => callEvent('RINGING', { callId }))
  const submit = (event: CallEvent) => ingest.submit(tenantId, event)
  // So many that the last ones share a statement with some that are too many.
  const more = Array.from({ length: 30 }, () => callEvent('RINGING', { callId }))
  await Promise.all(events.slice(0, most - 10).map(submit))
  const others = Array.from({ length: 20 }, () => callEvent('RINGING'))
  const mixed = await Promise.allSettled([...events.slice(most - 10), ...more, ...others].map(submit))
  const refused = mixed.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  expect(refused).toHaveLength(30)
  expect(refused).toSatisfy((all: unknown[]) => all.every(CallFull.is))
  expect(await storedEvents(tenantId)).toBe(most + 20)

  expect(await caught(submit(callEvent('COMPLETED', { callId })))).toMatchObject({ code: 'call-full', status: 422 })
  expect(await submit(events[0]!)).toMatchObject({ outcome: 'duplicate' })
  expect(await caught(submit({ ...events[0]!, state: 'BUSY' }))).toSatisfy(EventConflict.is)
  const again = await Promise.allSettled(
    [callEvent('RINGING', { callId }), events[1]!, callEvent('RINGING')].map(submit),
  )
  expect(again.map((result) => (result.status === 'rejected' ? result.reason.code : result.value.outcome))).toEqual([
    ...['call-full', 'duplicate', 'applied'],
  ])
  const [call] = await store.query<{ sequence: number }>(
    'select sequence from hopwhistle.calls where tenant_id = $1 and call_id = $2',
    [tenantId, callId],
  )
  expect(call?.sequence).toBe(most)
})

test('property: no metadata is longer, as Postgres prints it, than was reckoned', async () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.constantFrom(1e308, -1e-308, 5e-324, 1e21, 1.5e-7, -123456.789e10),
  )
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      number,
      fc.string(),
      fc.boolean(),
      fc.array(tie('any')),
      fc.dictionary(fc.string(), tie('any')),
    ),
  })).any
  const samples = fc
    .sample(value, 500)
    .map((sample) => JSON.stringify({ a: sample }))
    .filter((json) => !json.includes('\\u0000') && json.isWellFormed() && !/\\ud[89a-f]/.test(json))
  const rows = await store.query<{ bytes: number }>(
    'select octet_length((json::jsonb)::text) as bytes from unnest($1::text[]) with ordinality as t (json, n) order by n',
    [samples],
  )
  for (const [i, json] of samples.entries()) {
    expect(storedBytes(json), json).toBeGreaterThanOrEqual(rows[i]!.bytes)
    if (!mayBeLongWhenStored(json)) expect(rows[i]!.bytes, json).toBeLessThanOrEqual(1.5 * Buffer.byteLength(json) + 2)
  }
})

test('draining refuses what comes, and commits, publishes and tidies up what was accepted', async () => {
  const tenantId = await store.newTenant()
  const ingest = store.ingest({ ingestBatchMax: 10, ingestBatchesInFlight: 1 })
  const accepted = Promise.all(Array.from({ length: 95 }, () => ingest.submit(tenantId, callEvent('RINGING'))))
  const drained = ingest.drain()
  expect(await caught(ingest.submit(tenantId, callEvent('RINGING')))).toSatisfy(ShuttingDown.is)
  await drained
  expect(await accepted).toHaveLength(95)
  expect(ingest.published.flatMap((batch) => batch.messages)).toHaveLength(95)
  expect(await store.query('select from hopwhistle.outbox where tenant_id = $1', [tenantId])).toHaveLength(0)
})

test('messages are published in the order of commit, with everything a subscriber is told', async () => {
  const tenantId = await store.newTenant()
  const ingest = store.ingest()
  const event = callEvent('RINGING', { direction: 'inbound', from: '+1', to: '+2', occurredAt: Date.now() - 500 })
  const next = callEvent('ANSWERED', { callId: event.callId })
  await ingest.submit(tenantId, event)
  await ingest.submit(tenantId, next)
  const [first, second] = ingest.published.flatMap((batch) => batch.messages)
  expect(first).toEqual({
    type: 'call.ringing',
    eventId: event.eventId,
    callId: event.callId,
    sequence: 1,
    occurredAt: event.occurredAt,
    receivedAt: expect.any(Number),
    outcome: 'applied',
    direction: 'inbound',
    from: '+1',
    to: '+2',
  })
  expect(second).toMatchObject({ type: 'call.answered', eventId: next.eventId })
  expect(ingest.published.map((batch) => batch.tenantId)).toEqual([tenantId, tenantId])
})

test('an answer does not wait for the publish, and a publish that fails is made good by another instance', async () => {
  const tenantId = await store.newTenant()
  const failing = store.ingest({}, { publish: () => Promise.reject(new Error('Redis is away')) })
  const events = [callEvent('INITIATED', { direction: 'outbound' }), callEvent('RINGING')]
  for (const event of events) await failing.submit(tenantId, event)
  expect(await store.query('select from hopwhistle.outbox where tenant_id = $1', [tenantId])).toHaveLength(2)

  const sweeping = store.ingest({ outboxSweepAfterMs: 100 })
  const mine = () => sweeping.published.filter((batch) => batch.tenantId === tenantId)
  await waitUntil('the sweeper to publish', () => mine().length === 2, { timeoutMs: 10_000, everyMs: 10 })
  expect(mine().flatMap((batch) => batch.messages)).toMatchObject([
    {
      eventId: events[0]?.eventId,
      type: 'call.initiated',
      outcome: 'applied',
      direction: 'outbound',
      occurredAt: events[0]?.occurredAt,
    },
    { eventId: events[1]?.eventId, type: 'call.ringing', outcome: 'applied' },
  ])
  await waitUntil(
    'the outbox to be empty',
    async () => (await store.query('select from hopwhistle.outbox where tenant_id = $1', [tenantId])).length === 0,
    { timeoutMs: 10_000, everyMs: 10 },
  )
  // Else it would sweep what later tests leave.
  await sweeping.drain()
})

test('a publish that hangs holds up neither answers nor later publishes', async () => {
  const tenantId = await store.newTenant()
  const ingest = store.ingest({}, { publish: () => new Promise(() => {}) })
  await ingest.submit(tenantId, callEvent('RINGING'))
  await ingest.submit(tenantId, callEvent('RINGING'))
})

test('when the answer to a commit is lost, the event is stored once and its sender is not told of a duplicate', async () => {
  const tenantId = await store.newTenant()
  const proxy = await startTcpProxy(store.database.postgres.primaryPort)
  const ingest = store.ingest({}, { url: proxy.through(store.database.apiUrl) })
  await ingest.submit(tenantId, callEvent('RINGING'))
  const callId = 'lost-answer'
  const event = callEvent('ANSWERED', { callId })

  proxy.loseNextAnswer('commit_position')
  expect(await ingest.submit(tenantId, event)).toMatchObject({ outcome: 'applied', callState: 'ANSWERED' })
  expect(proxy.lost()).toBe(1)
  expect(
    await store.query('select from hopwhistle.call_events where tenant_id = $1 and event_id = $2', [
      tenantId,
      event.eventId,
    ]),
  ).toHaveLength(1)

  proxy.loseNextAnswer('commit_position')
  const late = callEvent('RINGING', { callId })
  expect(await ingest.submit(tenantId, late)).toMatchObject({ outcome: 'late', callState: 'ANSWERED' })
  expect(proxy.lost()).toBe(2)

  // Nobody has published those: they wait for a sweeper. The one before them was published, and goes.
  const inOutbox = () =>
    store.query('select event_ids from hopwhistle.outbox where tenant_id = $1 order by batch_id', [tenantId])
  await waitUntil('what was published to go', async () => (await inOutbox()).length <= 2, { timeoutMs: 5_000 })
  expect(await inOutbox()).toEqual([{ event_ids: [event.eventId] }, { event_ids: [late.eventId] }])
  expect(await ingest.submit(tenantId, event)).toMatchObject({ outcome: 'duplicate' })
  await proxy.close()
})

test('a database that is away for a moment costs time, and one that stays away an honest 503', async () => {
  const tenantId = await store.newTenant()
  const proxy = await startTcpProxy(store.database.postgres.primaryPort)
  const ingest = store.ingest({}, { url: proxy.through(store.database.apiUrl) })
  await ingest.submit(tenantId, callEvent('RINGING'))

  proxy.set('cut')
  const waiting = ingest.submit(tenantId, callEvent('RINGING'))
  await waitUntil(
    'a retry',
    async () => (await ingest.metrics.ingestRetries.get()).values.some(({ value }) => value > 0),
    {
      timeoutMs: 5_000,
      everyMs: 5,
    },
  )
  proxy.set('open')
  expect(await waiting).toMatchObject({ outcome: 'applied' })

  proxy.set('cut')
  const refused = await caught(ingest.submit(tenantId, callEvent('RINGING')))
  expect(refused).toSatisfy(DatabaseUnavailable.is)
  expect(refused).toMatchObject({ status: 503, retryAfterSeconds: 1 })
  // By now it is known to be away: no further patience.
  const startedAt = performance.now()
  await caught(ingest.submit(tenantId, callEvent('RINGING')))
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  proxy.set('open')
  expect(await ingest.submit(tenantId, callEvent('RINGING'))).toMatchObject({ outcome: 'applied' })
  await proxy.close()
})
