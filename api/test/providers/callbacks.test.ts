/** Callbacks of providers on whole instances: made by the command, signed as the providers sign, ended. */
import { execFile } from 'node:child_process'
import { createHmac, generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { get, type Platform, runningPlatform, type Tenant } from '../platform/running-platform.ts'
import { ASTERISK_CDR, TELNYX_HANGUP, TWILIO_STATUS } from './documented-callbacks.ts'

// Each run of the command starts a process.
vi.setConfig({ testTimeout: 120_000 })
const COMMAND = fileURLToPath(new URL('../../src/commands/tenants.ts', import.meta.url))
const KEYS_COMMAND = fileURLToPath(new URL('../../src/commands/keys.ts', import.meta.url))
const PUBLIC_URL = 'https://calls.example.com/hopwhistle'
const SECRETS_KEY = randomBytes(32).toString('base64')
const TOKEN = 'a-token-that-is-planted'
const CACHE_MS = 200
const telnyxKeys = generateKeyPairSync('ed25519')
const TELNYX_KEY = Buffer.from(telnyxKeys.publicKey.export({ format: 'jwk' }).x as string, 'base64url').toString(
  'base64',
)

let platform: Platform
let tenant: Tenant
beforeAll(async () => {
  platform = await runningPlatform(1, { PUBLIC_URL, PROVIDER_SECRETS_KEY: SECRETS_KEY, KEY_CACHE_MS: String(CACHE_MS) })
  tenant = await platform.newTenant()
})
afterAll(() => platform.close())
const at = () => platform.instances[0]!

type Ran = { readonly code: number; readonly out: string; readonly err: string }
function run(
  file: string,
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  const all = {
    PATH: process.env.PATH,
    MIGRATION_DATABASE_URL: platform.database.ownerUrl,
    PROVIDER_SECRETS_KEY: SECRETS_KEY,
    ...env,
  }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [file, ...args], { env: all }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
    child.stdin?.end(input)
  })
}
const providers = (args: readonly string[], given = {}) => run(COMMAND, ['providers', ...args], given)
async function add(provider: string, secret: string, of = tenant): Promise<{ path: string; id: string }> {
  const { code, out, err } = await providers(['add', '--tenant', of.id, '--provider', provider, '--by', 'ops'], {
    input: `${secret}\n`,
  })
  expect(code, err).toBe(0)
  expect(out + err).not.toContain(secret)
  const [, id = ''] = /made callback ([0-9a-f-]{36})/.exec(err) ?? []
  return { path: out.trimEnd(), id }
}

async function send(path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>) {
  const answer = await fetch(at().url + path, { method: 'POST', headers, body })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
}
/** As Twilio calls it: by the address that it knows. */
function fromTwilio(path: string, given: Partial<typeof TWILIO_STATUS> = {}, token = TOKEN, url = PUBLIC_URL + path) {
  const fields: Record<string, string> = { ...TWILIO_STATUS, Timestamp: new Date().toUTCString(), ...given }
  const sorted = Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const signature = createHmac('sha1', token)
    .update(url + sorted.flat().join(''))
    .digest('base64')
  return send(path, new URLSearchParams(fields).toString(), {
    'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
    'x-twilio-signature': signature,
  })
}
function fromTelnyx(path: string, value: unknown, atMs = Date.now()) {
  const body = JSON.stringify(value)
  const timestamp = String(Math.floor(atMs / 1000))
  const signature = sign(null, Buffer.from(`${timestamp}|${body}`), telnyxKeys.privateKey).toString('base64')
  return send(path, body, {
    'content-type': 'application/json',
    'telnyx-timestamp': timestamp,
    'telnyx-signature-ed25519': signature,
  })
}
const timeline = async (callId: string, position: string | null) =>
  (
    await get(at(), ROUTES.call.replace(':callId', encodeURIComponent(callId)), tenant.key, {
      [HEADERS.position]: position ?? '',
    })
  ).body

test('Twilio: a call from its first callback to its last, each of them twice, is one call with its events once', async () => {
  const { path } = await add('twilio', TOKEN)
  expect(path).toMatch(/^\/api\/v1\/events\/from\/twilio\/hwc_[\w-]{32}$/)
  const CallSid = `CA${randomUUID()}`
  let position: string | null = null
  for (const [i, CallStatus] of ['initiated', 'ringing', 'in-progress', 'completed'].entries()) {
    const callback = { CallSid, CallStatus, SequenceNumber: String(i), Timestamp: new Date().toUTCString() }
    const first = await fromTwilio(path, callback)
    expect(first, JSON.stringify(first.body)).toMatchObject({
      status: 201,
      body: { events: [{ callId: CallSid, outcome: 'applied' }] },
    })
    position = first.headers.get(HEADERS.position)
    expect(await fromTwilio(path, callback)).toMatchObject({
      status: 200,
      body: { events: [{ outcome: 'duplicate' }] },
    })
    // Sent again in other words, as with the seconds of another attempt: still the same.
    expect(await fromTwilio(path, { ...callback, CallDuration: '99' })).toMatchObject({
      status: 200,
      body: { events: [{ outcome: 'duplicate' }] },
    })
  }
  const { call, events } = await timeline(CallSid, position)
  expect(call).toMatchObject({ state: 'COMPLETED', direction: 'outbound', from: '+14158675310' })
  expect(events.map((event: { state: string }) => event.state)).toEqual([
    'INITIATED',
    'RINGING',
    'ANSWERED',
    'COMPLETED',
  ])
  expect(events[3].metadata.twilio).toMatchObject({ CallerCity: 'SAN FRANCISCO', SipResponseCode: '200' })
})

test('Twilio: what is not signed for this address by this token is 403, and nothing of it is stored', async () => {
  const { path } = await add('twilio', TOKEN)
  const CallSid = `CA${randomUUID()}`
  const codes = await Promise.all([
    fromTwilio(path, { CallSid }, 'another token'),
    fromTwilio(path, { CallSid }, TOKEN, `${at().url}${path}`),
    send(path, `CallSid=${CallSid}&CallStatus=ringing`, { 'content-type': 'application/x-www-form-urlencoded' }),
  ])
  for (const { status, body } of codes) expect([status, body.code]).toEqual([403, 'wrong-signature'])
  expect(codes[1]?.body.detail).toContain('https://calls.example.com')
  expect(JSON.stringify(codes.map(({ body }) => body))).not.toMatch(new RegExp(`${TOKEN}|hwc_`))
  // With the port of https in it, which Twilio may sign, it is the same address.
  const withPort = `https://calls.example.com:443/hopwhistle${path}`
  expect((await fromTwilio(path, { CallSid }, TOKEN, withPort)).status).toBe(201)
})

test('Telnyx: a webhook is taken once, however often it comes; what is about no state of a call is 204', async () => {
  const { path } = await add('telnyx', TELNYX_KEY)
  const { data } = TELNYX_HANGUP
  const call_leg_id = randomUUID()
  const webhook = (event_type: string) => ({
    data: {
      ...data,
      id: randomUUID(),
      event_type,
      occurred_at: new Date().toISOString(),
      payload: { ...data.payload, call_leg_id },
    },
    meta: { attempt: 1 },
  })
  const hangup = webhook('call.hangup')
  const first = await fromTelnyx(path, hangup)
  expect(first, JSON.stringify(first.body)).toMatchObject({ status: 201, body: { events: [{ callState: 'FAILED' }] } })
  expect(await fromTelnyx(path, { ...hangup, meta: { attempt: 2 } })).toMatchObject({ status: 200 })
  expect((await fromTelnyx(path, webhook('call.recording.saved'))).status).toBe(204)
  expect((await fromTelnyx(path, hangup, Date.now() - 400_000)).body.code).toBe('wrong-signature')
  const { call, events } = await timeline(call_leg_id, first.headers.get(HEADERS.position))
  expect(call).toMatchObject({ state: 'FAILED', from: '+35319605860' })
  expect(events).toHaveLength(1)
  expect(events[0].metadata.telnyx).toMatchObject({ sip_hangup_cause: '603' })
})

test('a record of a switch comes with a key, also as the password or the user of Basic authentication', async () => {
  const { key, id } = await platform.newTenant()
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
  const now = Math.floor(Date.now() / 1000)
  const cdr = { ...ASTERISK_CDR, start: now - 69, answer: now - 60, end: now }
  const form = (uniqueid: string) =>
    new URLSearchParams(
      Object.entries({ ...cdr, uniqueid }).map(([name, value]): [string, string] => [name, String(value)]),
    ).toString()
  const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
  for (const [i, headers] of [
    { 'x-api-key': key },
    basic(`asterisk:${key}`),
    basic(`${key}:`),
    { authorization: `Bearer ${key}` },
  ].entries()) {
    const taken = await send(ROUTES.eventsFromSipCdr, form(`u-${i}`), { ...FORM, ...headers } as Record<string, string>)
    expect(taken, JSON.stringify(taken.body)).toMatchObject({
      status: 201,
      body: { events: [{}, {}, { callState: 'COMPLETED' }] },
    })
    expect(
      (await send(ROUTES.eventsFromSipCdr, form(`u-${i}`), { ...FORM, ...headers } as Record<string, string>)).status,
    ).toBe(200)
  }
  const rows = await platform.query<{ n: number }>(
    'select count(*)::integer as n from hopwhistle.call_events where tenant_id = $1',
    [id],
  )
  expect(rows).toEqual([{ n: 12 }])
  const json = { 'content-type': 'application/json', 'x-api-key': key }
  expect((await send(ROUTES.eventsFromSipCdr, '{}', json)).body).toMatchObject({ code: 'invalid-request', status: 400 })
  expect((await send(ROUTES.eventsFromSipCdr, form('x'), { ...FORM, ...basic('asterisk:wrong') })).status).toBe(401)
  // Everywhere else, Basic authentication is no key.
  expect(
    (await send(ROUTES.callEvent, '{}', { 'content-type': 'application/json', ...basic(`x:${key}`) })).status,
  ).toBe(401)
})

test('two records are never taken for one: ids that are not UTF-8, or numbers that lose digits, are refused', async () => {
  const { key, id } = await platform.newTenant()
  const end = Math.floor(Date.now() / 1000)
  const as = (type: string) => ({ 'content-type': type, 'x-api-key': key })
  const forms = ['\xe9', '\xe8', '%E9', '%e8', '%C3', '%ED%A0%80'].map((character) =>
    Buffer.from(`call_id=anruf-${character}&disposition=BUSY&end=${end}`, 'latin1'),
  )
  for (const form of forms) {
    const answer = await send(ROUTES.eventsFromSipCdr, form, as('application/x-www-form-urlencoded'))
    expect([answer.status, answer.body.code], form.toString('latin1')).toEqual([400, 'malformed-body'])
  }
  for (const callId of ['1769860800.10', '1769860800.1', '"a\\u0001"']) {
    const record = `{"call_id":${callId},"disposition":"BUSY","end":${end}}`
    const answer = await send(ROUTES.eventsFromSipCdr, record, as('application/json'))
    expect([answer.status, answer.body.code], record).toEqual([400, 'invalid-request'])
  }
  for (const callId of ['9007199254740993', '9007199254740992', '"1769860800.10"', '"1769860800.1"', '"a"', '" a"']) {
    const record = `{"call_id":${callId},"disposition":"BUSY","end":${end}}`
    const answer = await send(ROUTES.eventsFromSipCdr, record, as('application/json'))
    expect(answer, record).toMatchObject({
      status: 201,
      body: { events: [{ callId: JSON.parse(callId.replace(/^\d+$/, '"$&"')) }] },
    })
  }
  // A % that encodes nothing is itself, and one that encodes UTF-8 is read.
  const fine = `call_id=100%+anruf-%C3%A9&disposition=BUSY&end=${end}`
  const taken = await send(ROUTES.eventsFromSipCdr, fine, as('application/x-www-form-urlencoded'))
  expect(taken, JSON.stringify(taken.body)).toMatchObject({
    status: 201,
    body: { events: [{ callId: '100% anruf-é' }] },
  })
  const rows = await platform.query<{ n: number }>(
    'select count(*)::integer as n from hopwhistle.call_events where tenant_id = $1',
    [id],
  )
  expect(rows).toEqual([{ n: 7 }])
})

test('several records of one call, as of one that was transferred, are all kept, and each of them once', async () => {
  const { key, id } = await platform.newTenant()
  const now = Math.floor(Date.now() / 1000)
  const record = (start: number, end: number) => ({
    ...ASTERISK_CDR,
    uniqueid: 'transferred',
    start,
    answer: start,
    end,
  })
  const post = async (given: object) => {
    const headers = { 'content-type': 'application/json', 'x-api-key': key }
    const { body } = await send(ROUTES.eventsFromSipCdr, JSON.stringify(given), headers)
    return body.events.map(({ outcome }: { outcome: string }) => outcome)
  }
  const [first, second] = [record(now - 60, now - 30), record(now - 30, now)]
  expect(await post(second)).toEqual(['applied', 'applied', 'applied'])
  expect(await post(first)).not.toContain('duplicate')
  for (const again of [first, second]) expect(await post(again)).toEqual(['duplicate', 'duplicate', 'duplicate'])
  const [row] = await platform.query<{ seconds: number; events: number }>(
    `select extract(epoch from ended_at)::integer as seconds,
       (select count(*)::integer from hopwhistle.call_events where tenant_id = $1) as events
     from hopwhistle.calls where tenant_id = $1`,
    [id],
  )
  expect(row).toEqual({ seconds: now - 30, events: 6 })
})

test('a callback that is not UTF-8 is refused, although it is signed', async () => {
  const { path } = await add('twilio', TOKEN)
  // What a server that reads Latin-1 as UTF-8 sees of it, and signs.
  const signed = `CallSidCA\ufffdCallStatusbusy`
  const signature = createHmac('sha1', TOKEN)
    .update(PUBLIC_URL + path + signed)
    .digest('base64')
  const answer = await send(path, Buffer.from('CallSid=CA%E9&CallStatus=busy'), {
    'content-type': 'application/x-www-form-urlencoded',
    'x-twilio-signature': signature,
  })
  expect([answer.status, answer.body.code]).toEqual([400, 'malformed-body'])
})

test('a callback is known to nobody else: another provider, another tenant, a guess; and ended, it is refused within the cache', async () => {
  const { path, id } = await add('twilio', TOKEN)
  const asTelnyx = path.replace('/twilio/', '/telnyx/')
  expect((await fromTelnyx(asTelnyx, TELNYX_HANGUP)).body.code).toBe('unknown-callback')
  expect((await fromTwilio(`${path.slice(0, -1)}${path.endsWith('A') ? 'B' : 'A'}`)).body.code).toBe('unknown-callback')
  expect((await fromTwilio(path.replace(/hwc_.*/, 'x'))).body.code).toBe('unknown-callback')
  // The key of a tenant does not help: only the URL says whose it is.
  const other = await platform.newTenant()
  const refused = await send(path, '{}', { 'content-type': 'application/json', 'x-api-key': other.key })
  expect(refused.body.code).toBe('wrong-signature')

  expect((await fromTwilio(path)).status).toBe(201)
  expect(await providers(['end', id, '--by', 'ops'])).toMatchObject({ code: 0 })
  await expect.poll(async () => (await fromTwilio(path)).body.code, { timeout: 5_000 }).toBe('unknown-callback')
  const listed = await providers(['list', '--tenant', tenant.id])
  expect(listed.out).toMatch(new RegExp(`^${id} .*twilio .*ended`, 'm'))
  const audit = await run(KEYS_COMMAND, ['audit', '--tenant', tenant.id])
  expect(audit.out).toMatch(new RegExp(`callback made +${id} +${tenant.id} +ops`))
  expect(audit.out).toMatch(new RegExp(`callback ended +${id} +${tenant.id} +ops`))
})

test('neither secret nor callback are in the database, and the secret opens nowhere else', async () => {
  const [one, two] = [await add('twilio', TOKEN), await add('twilio', `${TOKEN}-2`)]
  const rows = await platform.query<{ row: string }>('select c::text as row from hopwhistle.provider_callbacks c')
  const all = rows.map(({ row }) => row).join('\n')
  for (const secret of [TOKEN, one.path.split('/').at(-1)!]) {
    expect(all).not.toContain(secret)
    expect(all).not.toContain(Buffer.from(secret).toString('hex'))
  }
  await platform.query(
    'update hopwhistle.provider_callbacks set sealed_secret = (select sealed_secret from hopwhistle.provider_callbacks where id = $1) where id = $2',
    [one.id, two.id],
  )
  expect((await fromTwilio(two.path)).status).toBe(500)
})

test('the secret comes from a variable or stdin, never from an argument, and must be one of its provider', async () => {
  const of = ['--tenant', tenant.id, '--provider', 'telnyx']
  const fromVariable = await providers(['add', ...of], { env: { PROVIDER_SECRET: TELNYX_KEY } })
  expect(fromVariable.code, fromVariable.err).toBe(0)
  expect((await providers(['add', ...of], { input: 'KEY0123\n' })).err).toContain('must be the public key')
  expect((await providers(['add', ...of], { input: '' })).err).toContain('is empty')
  expect(await providers(['add', ...of, '--secret', TOKEN])).toMatchObject({ code: 2 })
  expect(await providers(['add', '--tenant', tenant.id, '--provider', 'acme'])).toMatchObject({ code: 2 })
  expect(await providers(['add', ...of], { env: { PROVIDER_SECRETS_KEY: 'short' } })).toMatchObject({ code: 2 })
  const unknown = await providers(['add', '--tenant', randomUUID(), '--provider', 'twilio'], { input: TOKEN })
  expect(unknown).toMatchObject({ code: 1 })
})

test('a callback counts against the rate of its tenant, as its events would', async () => {
  const slow = await platform.newTenant()
  await platform.query('update hopwhistle.tenants set events_per_second = 1 where id = $1', [slow.id])
  const { path } = await add('twilio', TOKEN, slow)
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => fromTwilio(path, { CallSid: `CA${randomUUID()}` })),
  )
  expect(answers.some(({ status }) => status === 429)).toBe(true)
})

test('without PUBLIC_URL the address is https and the host that was asked for', async () => {
  const { path } = await add('twilio', TOKEN)
  const beside = await runningPlatform(1, { PROVIDER_SECRETS_KEY: SECRETS_KEY }, platform.database)
  try {
    const body = new URLSearchParams({ CallSid: `CA${randomUUID()}`, CallStatus: 'ringing' }).toString()
    const signed = `https://calls.example.org${path}${body
      .split('&')
      .map((one) => one.replace('=', ''))
      .join('')}`
    const asked = request(new URL(beside.instances[0]!.url + path), {
      method: 'POST',
      headers: {
        host: 'calls.example.org',
        'content-type': 'application/x-www-form-urlencoded',
        'x-twilio-signature': createHmac('sha1', TOKEN).update(signed).digest('base64'),
      },
    })
    asked.end(body)
    const status = await new Promise((resolve, reject) => {
      asked.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject)
    })
    expect(status).toBe(201)
  } finally {
    await beside.close()
  }
})
