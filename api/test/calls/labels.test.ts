import { randomUUID } from 'node:crypto'
import { LABEL_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { anEvent, get, type Platform, post, runningPlatform, type Tenant } from '../platform/running-platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await runningPlatform(2, { KEY_CACHE_MS: '300' })
})
afterAll(() => platform.close())

const at = (i: 0 | 1) => platform.instances[i] as Platform['instances'][number]
async function declare({ key }: Tenant, labels: unknown, i: 0 | 1 = 0) {
  const headers = { 'content-type': 'application/json', [HEADERS.apiKey]: key }
  const answer = await fetch(at(i).url + ROUTES.labels, { method: 'PUT', headers, body: JSON.stringify({ labels }) })
  return { status: answer.status, body: await answer.json() }
}
async function withLabels(...labels: string[]): Promise<Tenant> {
  const tenant = await platform.newTenant()
  expect(await declare(tenant, labels)).toEqual({ status: 200, body: { labels } })
  return tenant
}

test('labels that are declared come with a call, and with the events that gave them', async () => {
  const tenant = await withLabels('campaign', 'agent')
  const callId = randomUUID()
  const first = anEvent('INITIATED', { callId, labels: { campaign: 'spring', agent: 'a' }, metadata: { queue: 'q' } })
  const later = new Date(Date.parse(first.occurredAt) + 1_000).toISOString()
  const answered = anEvent('ANSWERED', { callId, occurredAt: later, labels: { agent: 'b' } })
  // In the other order than they occurred, and one alone, one in a batch.
  expect((await post(at(1), answered, tenant.key)).body).toMatchObject({ outcome: 'applied' })
  const batch = await post(at(0), { events: [first, anEvent('RINGING', { callId })] }, tenant.key, ROUTES.callEvents)
  const position = { [HEADERS.position]: batch.body.position }
  const { call, events } = (await get(at(1), `/api/v1/calls/${callId}`, tenant.key, position)).body
  expect(call.labels).toEqual({ campaign: 'spring', agent: 'b' })
  const of = (state: string) => events.find((event: { state: string }) => event.state === state)
  expect(of('INITIATED')).toMatchObject({ labels: { campaign: 'spring', agent: 'a' }, metadata: { queue: 'q' } })
  expect(of('ANSWERED')).toMatchObject({ labels: { agent: 'b' }, metadata: null })
  expect(of('RINGING')).toMatchObject({ labels: {}, metadata: null })
  const listed = (await get(at(0), `${ROUTES.reportCalls}?label=agent:b`, tenant.key, position)).body.calls
  expect(listed).toMatchObject([{ callId, labels: { campaign: 'spring', agent: 'b' } }])
})

test('the same event with other labels is another event, whichever of them was first', async () => {
  const tenant = await withLabels('campaign')
  const plain = anEvent('RINGING')
  const labelled = { ...plain, labels: { campaign: 'spring' } }
  expect((await post(at(0), plain, tenant.key)).status).toBe(201)
  expect((await post(at(0), labelled, tenant.key)).status).toBe(409)
  const call = await get(at(0), `/api/v1/calls/${plain.callId}`, tenant.key)
  expect(call.body.call.labels).toEqual({})
  const first = anEvent('RINGING', { labels: { campaign: 'spring' } })
  expect((await post(at(0), first, tenant.key)).status).toBe(201)
  expect((await post(at(0), first, tenant.key)).status).toBe(200)
  const { labels: _, ...without } = first
  for (const other of [without, { ...first, labels: { campaign: 'summer' } }]) {
    expect((await post(at(0), other, tenant.key)).status).toBe(409)
  }
})

test('what is not declared, too many or too long is refused with 422, and in a batch alone', async () => {
  const tenant = await withLabels('campaign', 'source')
  const many = Object.fromEntries(Array.from({ length: LABEL_BOUNDS.max + 1 }, (_, i) => [`label${i}`, 'x']))
  for (const [labels, message] of [
    [{ campain: 'spring' }, 'labels.campain is not declared; there are campaign, source'],
    [many, 'labels has 9 labels; it may have at most 8'],
    [{ campaign: 'x'.repeat(129) }, 'labels.campaign has 129 characters; it may have at most 128'],
  ] as const) {
    const alone = await post(at(0), anEvent('RINGING', { labels }), tenant.key)
    expect([alone.status, alone.body.code, alone.body.detail]).toEqual([422, 'labels-refused', message])
    const events = [anEvent('RINGING', { labels }), anEvent('RINGING', { labels: { campaign: 'spring' } })]
    const { results } = (await post(at(1), { events }, tenant.key, ROUTES.callEvents)).body
    expect(results.map(({ status }: { status: number }) => status)).toEqual([422, 201])
  }
  for (const path of [
    `${ROUTES.reportCalls}?label=campain:x`,
    `${ROUTES.reportMetrics}?granularity=day&groupBy=label:campain`,
  ]) {
    const { status, body } = await get(at(0), path, tenant.key)
    expect([status, body.code]).toEqual([422, 'labels-refused'])
    expect(body.detail).toContain('campain is not declared; there are campaign, source')
  }
})

test('a new name is known to every instance within a second or so, and one that is gone is refused soon', async () => {
  const tenant = await withLabels('campaign')
  const send = async (i: 0 | 1, name: string) =>
    (await post(at(i), anEvent('RINGING', { labels: { [name]: 'x' } }), tenant.key)).status
  expect([await send(0, 'source'), await send(1, 'source')]).toEqual([422, 422])
  await declare(tenant, ['source'])
  expect(await send(0, 'source')).toBe(201)
  await waitUntil('the other instance to know it', async () => (await send(1, 'source')) === 201, { timeoutMs: 10_000 })
  await waitUntil('it to forget the other', async () => (await send(1, 'campaign')) === 422, { timeoutMs: 10_000 })
  expect((await get(at(1), ROUTES.labels, tenant.key)).body).toEqual({ labels: ['source'] })
})

test('names that cannot be, or too many of them, are not declared', async () => {
  const tenant = await withLabels('campaign')
  const many = Array.from({ length: LABEL_BOUNDS.max + 1 }, (_, i) => `label${i}`)
  for (const wrong of [['Campaign'], ['1'], ['a b'], [''], ['x'.repeat(33)], ['a', 'a'], many, 'campaign', undefined]) {
    expect((await declare(tenant, wrong)).status, JSON.stringify(wrong)).toBe(400)
  }
  expect((await get(at(0), ROUTES.labels, tenant.key)).body).toEqual({ labels: ['campaign'] })
})

test('nothing is left of what labels were folded by', async () => {
  expect(await platform.query('select * from hopwhistle.labels_to_fold')).toEqual([])
})
