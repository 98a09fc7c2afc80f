import { once } from 'node:events'
import { LIVE_CLOSE, LIVE_KEY_SUBPROTOCOL_PREFIX, LIVE_SUBPROTOCOL } from '@hopwhistle/contract/live.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { anEvent, get, type Platform, post, runningPlatform } from '../platform/running-platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await runningPlatform(2, { KEY_CACHE_MS: '200' })
})
afterAll(() => platform.close())

const at = (i: number) => platform.instances[i]!
const tokenOf = async (key: string, body: object = {}) => (await post(at(0), body, key, ROUTES.tokens)).body
async function openAsPage(token: string) {
  const socket = new WebSocket(
    at(1).url.replace('http', 'ws') + ROUTES.live,
    [LIVE_SUBPROTOCOL, LIVE_KEY_SUBPROTOCOL_PREFIX + token],
    { origin: 'https://page.example.com' },
  )
  socket.on('error', () => {})
  const closed = once(socket, 'close').then(([code]) => code as number)
  await once(socket, 'open')
  return { socket, closed }
}

test('a token that a key made follows calls from a page, at any instance, and does nothing else', async () => {
  const { key } = await platform.newTenant()
  const made = await post(at(0), {}, key, ROUTES.tokens)
  expect(made).toMatchObject({ status: 201, body: { scopes: ['live:read'] } })
  expect(made.headers.get('cache-control')).toBe('no-store')
  const { token, expiresAt } = made.body
  expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(300_000)
  expect(token).toMatch(/^hwt_[\w-]+$/)
  expect(token).not.toContain(key)
  const { socket } = await openAsPage(token)
  socket.send('{"type":"subscribe","patterns":["call.*"]}')
  const [answer] = await once(socket, 'message')
  expect(JSON.parse(String(answer))).toMatchObject({ type: 'subscribed' })
  socket.terminate()
  expect((await get(at(1), ROUTES.reportCalls, token)).body).toMatchObject({ code: 'missing-scope' })
  expect((await post(at(1), anEvent('RINGING'), token)).body).toMatchObject({ code: 'missing-scope' })
  expect((await post(at(1), {}, token, ROUTES.tokens)).body).toMatchObject({ code: 'key-required' })
})

test('a token may read reports, if its key may; no token may send events', async () => {
  const { key } = await platform.newTenant()
  const { token } = await tokenOf(key, { scopes: ['reports:read'] })
  expect((await get(at(1), ROUTES.reportCalls, token)).status).toBe(200)
  const narrow = await platform.newTenant(['live:read'])
  expect(await tokenOf(narrow.key, { scopes: ['reports:read'] })).toMatchObject({ code: 'missing-scope' })
  expect(await tokenOf(key, { scopes: ['events:write'] })).toMatchObject({ code: 'invalid-request' })
  expect(await tokenOf(key, { seconds: 3_601 })).toMatchObject({ code: 'invalid-request' })
})

test('a token that has ended is refused, and the socket that it opened is closed; those of its key stay', async () => {
  const { key } = await platform.newTenant()
  const { token } = await tokenOf(key, { scopes: ['live:read', 'reports:read'], seconds: 3 })
  const page = await openAsPage(token)
  const server = await openAsPage(key)
  expect(await page.closed).toBe(LIVE_CLOSE.unauthorized)
  await expect.poll(async () => (await get(at(0), ROUTES.reportCalls, token)).status, { timeout: 15_000 }).toBe(401)
  expect(server.socket.readyState).toBe(WebSocket.OPEN)
  server.socket.terminate()
})

test('a token ends with its key, and so do its sockets', async () => {
  const { key, id } = await platform.newTenant()
  const { token } = await tokenOf(key, { scopes: ['live:read', 'reports:read'] })
  const { closed } = await openAsPage(token)
  await platform.query('update hopwhistle.api_keys set revoked_at = now() where tenant_id = $1', [id])
  expect(await closed).toBe(LIVE_CLOSE.unauthorized)
  await expect.poll(async () => (await get(at(0), ROUTES.reportCalls, token)).status, { timeout: 15_000 }).toBe(401)
})

test('only the hash of a token is kept, and what has ended is removed', async () => {
  const { key, id } = await platform.newTenant()
  const { token } = await tokenOf(key, { scopes: ['reports:read'], seconds: 1 })
  const kept = () =>
    platform.query<{ row: string }>(
      `select t::text as row from hopwhistle.browser_tokens t join hopwhistle.api_keys k on k.id = t.key_id
       where k.tenant_id = $1`,
      [id],
    )
  expect((await kept()).map(({ row }) => row.includes(Buffer.from(token).toString('hex')))).toEqual([false])
  await expect.poll(async () => (await get(at(0), ROUTES.reportCalls, token)).status, { timeout: 15_000 }).toBe(401)
  await tokenOf(key)
  expect(await kept()).toHaveLength(1)
  for (const other of [`${token}A`, token.slice(0, -1), 'hwt_', 'hwt_A'])
    expect((await get(at(0), ROUTES.reportCalls, other)).status, other).toBe(401)
})
