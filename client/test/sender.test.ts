import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { anEvent, type Platform, runningPlatform, type Tenant } from '../../api/test/platform/running-platform.ts'
import { createSender, type FailedAttempt } from '../src/index.ts'
import { proxyTo } from './support/proxy-to.ts'

const SMALL_BODY_BYTES = 4_000
const QUICK = { firstMs: 1, maxMs: 1 }

let platform: Platform
let acme: Tenant
const url = () => platform.instances[0]!.url
beforeAll(async () => {
  platform = await runningPlatform(1, { MAX_BODY_BYTES: String(SMALL_BODY_BYTES) })
  acme = await platform.newTenant()
})
afterAll(() => platform.close())

const stored = (id: string, at = platform) =>
  at.query('select event_id from hopwhistle.call_events where event_id = $1', [id])

test('an event whose answer is lost is sent again with the same id, and is stored once', async () => {
  const proxy = await proxyTo(url())
  proxy.loseNextAnswer('HTTP/1.1 201')
  const failed: FailedAttempt[] = []
  const sender = createSender({ url: proxy.url, apiKey: acme.key }, { backoff: QUICK })
  const event = anEvent('RINGING')
  const results = await sender.send([event], { onFailure: (attempt) => failed.push(attempt) })
  expect(proxy.lost()).toBe(1)
  expect(results).toMatchObject([{ eventId: event.eventId, outcome: 'duplicate', callState: 'RINGING', attempts: 2 }])
  expect(failed).toMatchObject([{ eventIds: [event.eventId], cause: expect.any(Error) }])
  expect(await stored(event.eventId)).toHaveLength(1)
})

test('of a batch each event has its own result, in the order given', async () => {
  const [first, second, known] = [anEvent('INITIATED'), anEvent('RINGING'), anEvent('RINGING')]
  const sender = createSender({ url: url(), apiKey: acme.key })
  await sender.send([known])
  const results = await sender.send([
    first,
    { ...anEvent('COMPLETED'), occurredAt: '1999-01-01T00:00:00Z' },
    { ...second, callId: known.callId, state: 'INITIATED' },
    { ...known, state: 'BUSY' },
    known,
  ])
  expect(results).toMatchObject([
    { eventId: first.eventId, outcome: 'applied', callState: 'INITIATED', position: expect.any(String) },
    { outcome: 'refused', problem: { status: 422, code: 'time-out-of-range' } },
    { outcome: 'late', callState: 'RINGING' },
    { outcome: 'refused', problem: { status: 409, code: 'event-conflict' } },
    { outcome: 'duplicate', callState: 'RINGING' },
  ])
  expect(results.every(({ attempts }) => attempts === 1)).toBe(true)
})

test('more events than fit into one request, or into one body, are all stored', async () => {
  const events = Array.from({ length: 60 }, () => anEvent('INITIATED'))
  expect(JSON.stringify(events).length).toBeGreaterThan(2 * SMALL_BODY_BYTES)
  const results = await createSender({ url: url(), apiKey: acme.key }, { batchMax: 50 }).send(events)
  expect(results.map(({ eventId, outcome }) => [eventId, outcome])).toEqual(events.map((e) => [e.eventId, 'applied']))
})

test('a key that is refused is not tried again, and is quoted nowhere', async () => {
  const failed: FailedAttempt[] = []
  const sender = createSender({ url: url(), apiKey: 'no-such-key' })
  const onFailure = (attempt: FailedAttempt) => failed.push(attempt)
  const results = await sender.send([anEvent('RINGING'), anEvent('RINGING')], { onFailure })
  expect(results).toMatchObject(Array(2).fill({ outcome: 'refused', attempts: 1, problem: { code: 'unauthorized' } }))
  expect(failed).toEqual([])
  expect(JSON.stringify(results)).not.toContain('no-such-key')
  expect(() => createSender({ url: url(), apiKey: 'se cret' })).toThrow(/^((?!se cret).)*$/)
})

test('no attempt begins sooner than Retry-After asked', async () => {
  const busy = await runningPlatform(1, { TENANT_RATE_PER_SECOND: '1' })
  onTestFinished(() => busy.close())
  const { key } = await busy.newTenant()
  const began: number[] = []
  const failed: (FailedAttempt & { readonly at: number })[] = []
  const counting: typeof fetch = (input, init) => {
    began.push(performance.now())
    return fetch(input, init)
  }
  const sender = createSender({ url: busy.instances[0]!.url, apiKey: key, fetch: counting }, { backoff: QUICK })
  const onFailure = (attempt: FailedAttempt) => failed.push({ ...attempt, at: performance.now() })
  // One after the other: the n-th request belongs to the n-th thing that happened.
  while (failed.length === 0)
    expect(await sender.send([anEvent('RINGING')], { onFailure })).toMatchObject([{ outcome: 'applied' }])
  const [first] = failed
  expect(first).toMatchObject({ problem: { code: 'rate-limited' }, retryAfterMs: 1_000 })
  const next = began.find((at) => at > first!.at)!
  expect(next - first!.at).toBeGreaterThanOrEqual(first!.retryAfterMs! - 1)
})

test('past the deadline an event is unknown, with the last reason; once the platform is back it is stored', async () => {
  const proxy = await proxyTo(url())
  proxy.set('cut')
  const event = anEvent('RINGING')
  const connection = { url: proxy.url, apiKey: acme.key }
  const sender = createSender(connection, { backoff: { firstMs: 10, maxMs: 20 } })
  const [unknown] = await sender.send([event], { deadlineMs: 300 })
  expect(unknown).toMatchObject({ eventId: event.eventId, outcome: 'unknown', failure: { cause: expect.any(Error) } })
  expect(unknown!.attempts).toBeGreaterThan(1)
  expect(await stored(event.eventId)).toHaveLength(0)
  expect(await sender.send([event], { onFailure: () => proxy.set('open') })).toMatchObject([{ outcome: 'applied' }])
})
