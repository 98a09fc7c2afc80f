import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { keys, OTHER_TENANT, TENANT } from './support/instance.ts'
import { ringing } from './support/messages.ts'
import { platform } from './support/platform.ts'

/** Asks for an upgrade as plain HTTP. @returns the answer to it */
async function upgrade(port: number, headers: Record<string, string>, path = '/api/v1/live') {
  const asked = request({
    port,
    path,
    headers: {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      ...headers,
    },
  }).end()
  const answered = once(asked, 'response')
  const upgraded = once(asked, 'upgrade').then(([response, socket]) => {
    socket.destroy()
    return [response]
  })
  const [response] = await Promise.race([answered, upgraded])
  const chunks: Buffer[] = []
  if (response.statusCode !== 101) for await (const chunk of response) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  return {
    status: response.statusCode as number,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  }
}

test('an upgrade without a valid key is answered 401, as a problem', async () => {
  const { one } = await platform()
  for (const headers of [{}, { 'x-api-key': 'wrong' }, { authorization: 'Bearer wrong' }]) {
    const answer = await upgrade(one.port, headers as Record<string, string>)
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized', status: 401 } })
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.headers['www-authenticate']).toContain('Bearer')
  }
})

test('an upgrade with the key of another tenant, or one without the scope, is answered 403', async () => {
  const { one } = await platform()
  const refused = [
    [{ 'x-api-key': 'key', 'x-tenant-id': OTHER_TENANT }, 'forbidden-tenant'],
    [{ 'x-api-key': 'no-scope' }, 'missing-scope'],
  ] as const
  for (const [headers, code] of refused)
    expect(await upgrade(one.port, headers)).toMatchObject({ status: 403, body: { code } })
  expect((await upgrade(one.port, { 'x-api-key': 'key', 'x-tenant-id': TENANT })).status).toBe(101)
})

test('an upgrade of any other route is answered 404', async () => {
  const { one } = await platform()
  expect(await upgrade(one.port, { 'x-api-key': 'key' }, '/api/v1/lively')).toMatchObject({ status: 404 })
  expect((await upgrade(one.port, { 'x-api-key': 'key' }, '/api/v1/live?x=1')).status).toBe(101)
})

test('a browser gives its key as a subprotocol, and it is not sent back', async () => {
  const { one } = await platform()
  const socket = new WebSocket(one.url, ['hopwhistle.v1', 'hopwhistle.key.key'])
  onTestFinished(() => socket.terminate())
  await once(socket, 'open')
  expect(socket.protocol).toBe('hopwhistle.v1')
})

test('past the most sockets of an instance the upgrade of a tenant that has them is answered 429 with Retry-After', async () => {
  const { one, client } = await platform({ settings: { websockets: 3 } })
  const clients = [client(), client(), client()]
  for (const each of clients) await each.opened()
  const answer = await upgrade(one.port, { 'x-api-key': 'key' })
  expect(answer).toMatchObject({ status: 429, body: { code: 'over-share' }, headers: { 'retry-after': '1' } })
  expect(await one.metric('rejected', { reason: 'over-share' })).toBe(1)
  clients[0]!.close()
  await waitUntil('a socket to be free', () => one.live.sockets() === 2, { timeoutMs: 5_000, everyMs: 5 })
  await client().opened()
})

test('a full instance takes the sockets of another tenant, and closes the newest of the one that has the most', async () => {
  const { one, client } = await platform({ settings: { websockets: 3 } })
  const flood = [client(), client(), client()]
  for (const each of flood) await each.opened()
  const first = client(one, 'other-key')
  await first.opened()
  expect(await flood[2]!.closedWith()).toMatchObject({ code: 1013 })
  expect(await one.metric('liveClosed', { reason: 'over-share' })).toBe(1)
  expect(one.live.sockets()).toBe(3)
  // Two to one: as even as it gets.
  const answer = await upgrade(one.port, { 'x-api-key': 'other-key' })
  expect(answer).toMatchObject({ status: 429, body: { code: 'over-share' } })
  for (const each of flood.slice(0, 2)) expect(each.socket.readyState).toBe(WebSocket.OPEN)
})

test('sockets that come at the same moment get no more than an equal share', async () => {
  const { one, client } = await platform({ settings: { websockets: 6 } })
  const flood = Array.from({ length: 6 }, () => client())
  for (const each of flood) await each.opened()
  const coming = Array.from({ length: 6 }, () => {
    const socket = new WebSocket(one.url, { headers: { 'x-api-key': 'other-key' } })
    onTestFinished(() => socket.terminate())
    socket.on('error', () => {})
    const refused = once(socket, 'unexpected-response').then(([, response]) => response.statusCode as number)
    return Promise.race([once(socket, 'open').then(() => 101), refused])
  })
  expect((await Promise.all(coming)).toSorted()).toEqual([101, 101, 101, 429, 429, 429])
  expect(flood.filter(({ socket }) => socket.readyState === WebSocket.OPEN)).toHaveLength(3)
})

test('what sockets have not read keeps to a budget for all of them, and one that reads gets everything', async () => {
  const { one, client } = await platform({
    settings: { liveSocketBufferBytes: 64 * 1_048_576 },
    memory: { unread: 1_000_000 },
  })
  const slow = [client(), client(one, 'other-key')]
  const reading = client()
  for (const each of [...slow, reading]) await each.subscribe(['call.*'])
  for (const { socket } of slow) socket.pause()
  let published = 0
  await waitUntil(
    'both to be closed as slow readers',
    async () => {
      await Promise.all([one.live.publish(ringing(1_000)), one.live.publish(ringing(1_000, OTHER_TENANT))])
      published += 1_000
      return (await one.metric('liveClosed', { reason: 'slow-reader' })) === 2
    },
    { timeoutMs: 15_000, everyMs: 1 },
  )
  await waitUntil('one that reads to get all', () => reading.messages.length === published, { timeoutMs: 10_000 })
  expect(reading.broken()).toEqual([])
  expect(one.live.memory().unread).toBeLessThan(1_000_000)
}, 40_000)

const BAD = [
  ['not JSON', 'subscribe!', 'not JSON'],
  ['not an object', [1], 'must be a JSON object'],
  ['an unknown type', { type: 'publish' }, 'subscribe, unsubscribe or ping'],
  ['no patterns', { type: 'subscribe' }, 'patterns is missing'],
  ['empty patterns', { type: 'subscribe', patterns: [] }, '1 to 16'],
  ['an unknown pattern', { type: 'subscribe', patterns: ['call.rang'] }, 'call.ringing'],
  ['too many patterns', { type: 'subscribe', patterns: Array(17).fill('call.*') }, '1 to 16'],
  ['a strange position', { type: 'subscribe', patterns: ['call.*'], recover: { epoch: 1, offset: -1 } }, 'recover is'],
] as const
test.each(BAD)('%s is explained and closed with 4400', async (_what, message, explanation) => {
  const { one, client } = await platform()
  const subscriber = client()
  await subscriber.opened()
  subscriber.send(message)
  expect((await subscriber.notice('error')).message).toContain(explanation)
  expect(await subscriber.closedWith()).toMatchObject({ code: 4400 })
  expect(await one.metric('liveClosed', { reason: 'bad-message' })).toBe(1)
})

test('binary messages are refused, and long ones closed with 1009', async () => {
  const { client } = await platform()
  const [binary, long] = [client(), client()]
  await Promise.all([binary.opened(), long.opened()])
  binary.socket.send(Buffer.from('{"type":"ping"}'), { binary: true })
  expect(await binary.closedWith()).toMatchObject({ code: 4400 })
  long.send({ type: 'ping', padding: 'x'.repeat(5_000) })
  expect(await long.closedWith()).toMatchObject({ code: 1009 })
})

test('a ping is answered; too many messages are closed with 4429', async () => {
  const { client } = await platform()
  const [polite, noisy] = [client(), client()]
  await Promise.all([polite.opened(), noisy.opened()])
  polite.send({ type: 'ping' })
  await polite.notice('pong')
  for (let i = 0; i < 100; i++) noisy.send({ type: 'ping' })
  expect(await noisy.closedWith()).toMatchObject({ code: 4429 })
  expect(polite.closed()).toBeUndefined()
})

test('a slow reader is closed with 4008 and others lose nothing', async () => {
  const { one, client } = await platform({ settings: { liveSocketBufferBytes: 65_536, liveTickMs: 5 } })
  const [quick, slow] = [client(), client()]
  await quick.subscribe()
  await slow.subscribe()
  slow.socket.pause()
  let published = 0
  await waitUntil(
    'the slow reader to be closed',
    async () => {
      for (let i = 0; i < 20; i++) await one.live.publish(ringing(100))
      published += 2_000
      return (await one.metric('liveClosed', { reason: 'slow-reader' })) === 1
    },
    { timeoutMs: 15_000, everyMs: 1 },
  )
  await quick.received(published)
  expect(quick.messages.map((message) => message.offset)).toEqual(Array.from({ length: published }, (_, i) => i + 1))
  expect(quick.broken()).toEqual([])
  expect(quick.closed()).toBeUndefined()
}, 30_000)

test('a slow reader that comes back recovers what it did not read', async () => {
  const boundBytes = 16_384
  const { one, client } = await platform({ settings: { liveSocketBufferBytes: boundBytes, liveTickMs: 5 } })
  const slow = client()
  await slow.subscribe()
  slow.socket.pause()
  let published = 0
  const publish = async (batches: number) => {
    for (let i = 0; i < batches; i++) await one.live.publish(ringing(200))
    published += batches * 200
  }
  const deadline = { timeoutMs: 15_000, everyMs: 1 }
  await waitUntil(
    'the slow reader to be past its bound',
    async () => {
      await publish(10)
      return one.live.mostUnread() > boundBytes
    },
    deadline,
  )
  // What comes next closes it. No more than that: in the second that it has for its farewell, more than the history keeps
  // can be published.
  await publish(1)
  await waitUntil(
    'the slow reader to be closed',
    async () => (await one.metric('liveClosed', { reason: 'slow-reader' })) === 1,
    deadline,
  )
  slow.socket.resume()
  // How much of it the kernel still hands out, and whether the close is among it, is up to the kernel.
  expect([1006, 4008]).toContain((await slow.closedWith()).code)
  const again = client()
  expect(await again.subscribe(['call.*'], slow.position())).toMatchObject({ recovered: true })
  await again.settledTo(published, 15_000)
  const offsets = [...slow.messages, ...again.messages].map((message) => message.offset)
  expect(offsets).toEqual(Array.from({ length: published }, (_, i) => i + 1))
  expect([...slow.broken(), ...again.broken()]).toEqual([])
}, 40_000)

test('a revoked key closes its sockets with 4401, and no others', async () => {
  const { client } = await platform()
  keys.set('short-lived', { tenantId: TENANT, scopes: new Set(['live:read']) })
  const [revoked, other] = [client(undefined, 'short-lived'), client()]
  await revoked.subscribe()
  await other.subscribe()
  keys.delete('short-lived')
  expect(await revoked.closedWith(5_000)).toMatchObject({ code: 4401 })
  expect(other.closed()).toBeUndefined()
})

test('garbage on the wire, before or after the upgrade, ends only its own connection', async () => {
  const { one, client } = await platform()
  const good = client()
  await good.subscribe()
  const notQuiteAnUpgrade =
    'GET /api/v1/live HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nx-api-key: key\r\n\r\n'
  for (const garbage of [notQuiteAnUpgrade, Buffer.alloc(500, 0xff)]) {
    const connection = connect(one.port, '127.0.0.1')
    connection.on('error', () => {})
    connection.resume().write(garbage)
    await once(connection, 'close')
  }
  const bad = client()
  await bad.subscribe()
  const { _socket } = bad.socket as unknown as { _socket: Socket }
  const notMasked = Buffer.from([0x81, 0x01, 0x41])
  _socket.write(notMasked)
  expect(await bad.closedWith()).toMatchObject({ code: 1002 })
  await one.live.publish(ringing())
  await good.received(1)
})
