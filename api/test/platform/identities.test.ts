/** Who calls and who is called, as providers name them, and bodies as they send them: on whole instances. */
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { anEvent, get, type Platform, post, runningPlatform, type Tenant } from './running-platform.ts'

const MIB = 1024 * 1024

let platform: Platform
let tenant: Tenant
beforeAll(async () => {
  platform = await runningPlatform(1)
  tenant = await platform.newTenant()
})
afterAll(() => platform.close())

const at = () => platform.instances[0]!
const call = (callId: string) => ROUTES.call.replace(':callId', encodeURIComponent(callId))
async function send(body: Uint8Array, headers: Record<string, string>, path: string = ROUTES.callEvent) {
  const answer = await fetch(at().url + path, {
    method: 'POST',
    headers: { 'x-api-key': tenant.key, 'content-type': 'application/json', ...headers },
    body: new Uint8Array(body),
  })
  return { status: answer.status, body: (await answer.json()) as { code?: string; results?: unknown[] } }
}
const packed = (value: unknown) => gzipSync(typeof value === 'string' ? value : JSON.stringify(value))
const GZIP = { 'content-encoding': 'gzip' }

test('a number is found in any notation, a call has it in its normal form, and its events as it was sent', async () => {
  const acme = await platform.newTenant()
  const given = ['+49301234', 'tel:+49-30-1234', 'sip:+49301234@pbx.example.com', '+49 (30) 1234']
  let position = ''
  for (const from of given) {
    const written = await post(at(), { ...anEvent('RINGING'), from, to: 'client:tommy' }, acme.key)
    expect(written.status).toBe(201)
    position = written.body.position
  }
  const list = async (query: string) => {
    const { status, body } = await get(at(), `${ROUTES.reportCalls}?${query}`, acme.key, {
      [HEADERS.position]: position,
    })
    expect(status, JSON.stringify(body)).toBe(200)
    return body.calls as { callId: string; from: string }[]
  }
  for (const fromNumber of [...given, '+49.30.1234']) {
    const found = await list(`fromNumber=${encodeURIComponent(fromNumber)}`)
    expect(found.map(({ from }) => from)).toEqual(Array(4).fill('+49301234'))
  }
  expect(await list('toNumber=client:tommy')).toHaveLength(4)
  expect(await list('toNumber=client:Tommy')).toHaveLength(0)
  const sent = await Promise.all(
    (await list('')).map(async ({ callId }) => (await get(at(), call(callId), acme.key)).body.events[0].from),
  )
  expect(sent.toSorted()).toEqual(given.toSorted())
})

test('ids, numbers and URIs may have 255 characters, of four bytes each, and are found again', async () => {
  const long = (prefix: string) => prefix + '📞'.repeat(255 - prefix.length)
  const event = { ...anEvent('ANSWERED'), eventId: long('e'), callId: long('c'), from: long('sip:'), to: 'anonymous' }
  const { status, body } = await post(at(), event, tenant.key)
  expect(status, JSON.stringify(body)).toBe(201)
  const headers = { [HEADERS.position]: body.position }
  const shown = await get(at(), call(event.callId), tenant.key, headers)
  expect(shown.status).toBe(200)
  expect(shown.body).toMatchObject({
    call: { from: event.from, to: 'anonymous' },
    events: [{ eventId: event.eventId }],
  })
  const filter = `fromNumber=${encodeURIComponent(event.from)}`
  expect((await get(at(), `${ROUTES.reportCalls}?${filter}`, tenant.key, headers)).body.calls).toHaveLength(1)
  // A cursor has an id in it.
  const again = { ...event, eventId: long('f'), state: 'COMPLETED' as const }
  const written = await post(at(), again, tenant.key)
  const page = await get(at(), `${call(event.callId)}?limit=1`, tenant.key, {
    [HEADERS.position]: written.body.position,
  })
  const rest = await get(at(), `${call(event.callId)}?limit=1&cursor=${page.body.nextCursor}`, tenant.key)
  expect(rest.body.events).toMatchObject([{ eventId: again.eventId }])
})

test('null is as good as nothing, and the time may have a small t and z', async () => {
  const nothing = { direction: null, from: null, to: null, corrects: null, labels: null, metadata: null }
  const event = anEvent('RINGING')
  const occurredAt = event.occurredAt.toLowerCase()
  expect((await post(at(), { ...event, ...nothing, occurredAt }, tenant.key)).status).toBe(201)
  expect((await post(at(), event, tenant.key)).body.outcome).toBe('duplicate')
})

test('a body in gzip is taken, by any name of JSON, one event or many', async () => {
  expect((await send(packed(anEvent('RINGING')), GZIP)).status).toBe(201)
  expect((await send(packed(anEvent('RINGING')), { 'content-encoding': 'x-gzip' })).status).toBe(201)
  const asCloudEvent = { ...GZIP, 'content-type': 'application/cloudevents+json; charset=utf-8' }
  expect((await send(packed(anEvent('RINGING')), asCloudEvent)).status).toBe(201)
  const events = Array.from({ length: 500 }, () => anEvent('RINGING', { metadata: { filler: 'x'.repeat(1_000) } }))
  const body = packed({ events })
  expect(body.length).toBeLessThan(MIB / 10)
  const many = await send(body, GZIP, ROUTES.callEvents)
  expect(many.status).toBe(200)
  expect(many.body.results).toHaveLength(500)
})

test('what is no gzip, or no JSON within, is 400; other encodings, and gzip twice, are 415', async () => {
  expect(await send(Buffer.from('{}'), GZIP)).toMatchObject({ status: 400, body: { code: 'malformed-body' } })
  expect(await send(packed('{'), GZIP)).toMatchObject({ status: 400, body: { code: 'malformed-body' } })
  expect(await send(packed(anEvent('RINGING')).subarray(0, -9), GZIP)).toMatchObject({ status: 400 })
  for (const encoding of ['br', 'deflate', 'zstd', 'gzip, gzip', 'compress']) {
    const refused = await send(packed(anEvent('RINGING')), { 'content-encoding': encoding })
    expect(refused, encoding).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } })
  }
})

test('a gzip bomb is 413 as soon as it is longer than a body may be, and costs no more memory than that', async () => {
  // A gigabyte, as a megabyte: what is longer than a body may be would be refused before it is looked into.
  const bomb = gzipSync(Buffer.alloc(1000 * MIB), { level: 9 })
  expect(bomb.length).toBeLessThan(MIB)
  const before = process.memoryUsage.rss()
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, 5)
  const startedAt = performance.now()
  const answers = await Promise.all(Array.from({ length: 4 }, () => send(bomb, GZIP)))
  clearInterval(watch)
  for (const answer of answers) expect(answer).toMatchObject({ status: 413, body: { code: 'body-too-large' } })
  expect(most - before).toBeLessThan(200 * MIB)
  expect(performance.now() - startedAt).toBeLessThan(5_000)
})

test('a packed body counts as much of the memory as it may become, until it is unpacked', async () => {
  // Room for two bodies of the longest.
  const settings = { MEMORY_LIMIT_BYTES: String(512 * MIB), MAX_BODY_BYTES: String(15 * MIB) }
  const beside = await runningPlatform(1, settings, platform.database)
  try {
    const { url } = beside.instances[0]!
    const body = packed(anEvent('RINGING'))
    const post = async () => {
      const { key } = await platform.newTenant()
      const headers = { 'x-api-key': key, 'content-type': 'application/json', ...GZIP }
      const answer = await fetch(url + ROUTES.callEvent, { method: 'POST', headers, body: new Uint8Array(body) })
      return [answer.status, ((await answer.json()) as { code?: string }).code]
    }
    const begun = await Promise.all(
      [1, 2].map(async () => begin(Number(new URL(url).port), body, await platform.newTenant())),
    )
    await expect.poll(post).toEqual([503, 'memory'])
    for (const { finish } of begun) finish()
    await waitUntil('both to be answered', () => begun.every(({ answer }) => answer().startsWith('HTTP/1.1 201')), {
      timeoutMs: 10_000,
    })
    // Their connections are still open.
    expect((await post())[0]).toBe(201)
    for (const { socket } of begun) socket.destroy()
  } finally {
    await beside.close()
  }
})

/** Sends all of a request but its last byte. */
function begin(port: number, body: Buffer, { key }: Tenant) {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (data) => {
    answer += data
  })
  const head = ['host: x', `x-api-key: ${key}`, 'content-type: application/json', 'content-encoding: gzip']
  socket.write([`POST ${ROUTES.callEvent} HTTP/1.1`, ...head, `content-length: ${body.length}`, '', ''].join('\r\n'))
  socket.write(body.subarray(0, -1))
  return { socket, answer: () => answer, finish: () => socket.write(body.subarray(-1)) }
}
