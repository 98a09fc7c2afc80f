/** Secrets are planted, everything is made to speak and to fail, and what was said is searched for them. */
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { createSecretBox } from '../../src/access/secret-box.ts'
import { newCallback, sealedFor } from '../../src/providers/callbacks.ts'
import { type ApiProcess, apiProcess } from '../platform/api-process.ts'
import { anEvent, type Platform, runningPlatform, type Tenant } from '../platform/running-platform.ts'

const NUMBER = '+12025550177'
const REMARK = 'planted-in-metadata'
const AUTH_TOKEN = 'planted-auth-token'
const SECRETS_KEY = randomBytes(32)

let platform: Platform
let acme: Tenant
let api: ApiProcess
let url: string
beforeAll(async () => {
  platform = await runningPlatform(0)
  acme = await platform.newTenant()
  api = await apiProcess(platform, { LOG_LEVEL: 'trace', PROVIDER_SECRETS_KEY: SECRETS_KEY.toString('base64') })
  url = api.url
})
afterAll(async () => {
  api?.process.kill('SIGKILL')
  await platform?.close()
})

test('no log, error, metric, process list or statement of the database shows a key, a password or a number', async () => {
  const answers: string[] = []
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, init).catch(() => undefined)
    if (response !== undefined && response.status >= 400) answers.push(await response.text())
    return response?.status
  }
  const write = (body: string, key = acme.key) =>
    ask(ROUTES.callEvent, { method: 'POST', body, headers: { 'content-type': 'application/json', 'x-api-key': key } })
  const event = anEvent('INITIATED', { from: NUMBER, to: NUMBER, metadata: { remark: REMARK } })
  const sent = JSON.stringify(event)
  expect(await write(sent)).toBe(201)
  expect(await write(JSON.stringify({ ...event, state: 'RINGING' }))).toBe(409)
  expect(await write(sent.slice(0, -2))).toBe(400)
  expect(await write(JSON.stringify({ ...event, occurredAt: '2001-01-01T00:00:00Z' }))).toBe(422)
  expect(await write(sent, `${acme.key}x`)).toBe(401)
  const bearer = { headers: { authorization: `Bearer ${acme.key}` } }
  expect(await ask(`${ROUTES.reportCalls}?fromNumber=${encodeURIComponent(NUMBER)}`, bearer)).toBe(200)
  expect(await ask(`${ROUTES.reportCalls}?fromNumber=${encodeURIComponent(NUMBER)}&cursor=x`, bearer)).toBe(400)
  expect(await ask(`${ROUTES.reportCalls}?api_key=${acme.key}`)).toBe(401)
  const { callback, callbackHash } = newCallback()
  const callbackId = randomUUID()
  await platform.query(
    `insert into hopwhistle.provider_callbacks (id, tenant_id, provider, name, callback_hash, sealed_secret)
     values ($1, $2, 'twilio', 'planted', $3, $4)`,
    [
      callbackId,
      acme.id,
      callbackHash,
      createSecretBox([SECRETS_KEY]).seal(AUTH_TOKEN, sealedFor(callbackId, 'twilio')),
    ],
  )
  const path = ROUTES.eventsFromTwilio.replace(':callback', callback)
  const called = (signature: string) =>
    ask(path, {
      method: 'POST',
      body: `CallSid=CA1&CallStatus=ringing&From=${encodeURIComponent(NUMBER)}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
    })
  const signed = `https://${new URL(url).host}${path}CallSidCA1CallStatusringingFrom${NUMBER}`
  expect(await called('none')).toBe(403)
  expect(await called(createHmac('sha1', AUTH_TOKEN).update(signed).digest('base64'))).toBe(201)
  const basic = Buffer.from(`switch:${acme.key}`).toString('base64')
  const record = {
    method: 'POST',
    body: '{',
    headers: { 'content-type': 'application/json', authorization: `Basic ${basic}` },
  }
  expect(await ask(ROUTES.eventsFromSipCdr, record)).toBe(400)
  const socket = new WebSocket(url.replace('http', 'ws') + ROUTES.live, { headers: { [HEADERS.apiKey]: acme.key } })
  await new Promise((resolve) => socket.once('open', resolve))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.send(`{"type":"subscribe","patterns":["${NUMBER}"]}`)
  await closed

  // Everything it depends on goes away in the middle of its work.
  await platform.redis.stop()
  const sending = Array.from({ length: 50 }, () => write(JSON.stringify(anEvent('RINGING', { from: NUMBER }))))
  // Other databases of the same server belong to other tests.
  await platform.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and usename = 'hopwhistle_api'`,
  )
  await Promise.all(sending)
  await waitUntil('the loss to be logged', () => /"level":(40|50)/.test(api.said()), { timeoutMs: 10_000 })

  const metrics = await (await fetch(url + ROUTES.metrics)).text()
  const commandLine = process.platform === 'linux' ? readFileSync(`/proc/${api.process.pid}/cmdline`, 'utf8') : ''
  const statements = await platform.query<{ query: string }>(
    `select query from pg_stat_statements union all select query from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`,
  )
  const passwords = [platform.database.apiUrl, platform.database.replicaUrl].map((one) => new URL(one).password)
  const sealingKey = SECRETS_KEY.toString('base64')
  const provider = { callback, token: AUTH_TOKEN, basic, sealingKey }
  const secrets = {
    key: acme.key,
    number: NUMBER,
    metadata: REMARK,
    ...provider,
    password: passwords[0]!,
    other: passwords[1]!,
  }
  expect(api.said().length).toBeGreaterThan(1_000)
  expect(answers.length).toBeGreaterThanOrEqual(6)
  for (const [place, text] of Object.entries({
    log: api.said(),
    errors: answers.join('\n'),
    metrics,
    'process list': commandLine,
    statements: statements.map(({ query }) => query).join('\n'),
  })) {
    for (const [what, secret] of Object.entries(secrets)) {
      expect(text.includes(secret), `${what} in ${place}`).toBe(false)
    }
  }
})
