import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { makeCertificates } from '../../../platform/test-support/certificates.ts'
import { createAddresses } from '../../src/webhooks/addresses.ts'
import { createSecrets } from '../../src/webhooks/secrets.ts'
import { createSender } from '../../src/webhooks/sender.ts'
import { type Receiver, receiver } from './receiver.ts'

const LOOPBACK = { webhookAllowedNetworks: ['127.0.0.0/8'], webhookDeniedNetworks: [], webhookAllowHttp: true }
const MESSAGE = { id: 'msg_1', body: JSON.stringify({ type: 'call.ringing', data: { from: '+49 30 ü' } }) }
const KEY = Buffer.alloc(32, 1)
const OTHER_KEY = Buffer.alloc(32, 2)
const { secret } = createSecrets([KEY]).make('a')

let open: Receiver[] = []
afterEach(async () => {
  await Promise.all(open.map((one) => one.close()))
  open = []
})
async function aReceiver(...given: Parameters<typeof receiver>) {
  const made = await receiver(...given)
  made.secret(secret)
  open.push(made)
  return made
}
function aSender(settings: Parameters<typeof createAddresses>[0] = LOOPBACK, timeoutMs = 2_000, ca?: string) {
  const made = createSender(createAddresses(settings), timeoutMs, 4, ca)
  onTestFinished(() => made.close())
  return made
}

test('the library verifies what is sent, with the new secret and with the old one', async () => {
  const to = await aReceiver()
  const { secret: newer } = createSecrets([KEY]).make('a')
  const sent = await aSender().send({ url: to.url, secrets: [newer, secret] }, MESSAGE)
  expect(sent).toMatchObject({ delivered: true, status: 204 })
  expect(to.received).toMatchObject([{ id: 'msg_1', signatures: 2, body: { data: { from: '+49 30 ü' } } }])
  to.secret(newer)
  expect((await aSender().send({ url: to.url, secrets: [newer, secret] }, MESSAGE)).delivered).toBe(true)
  // And refuses what another secret has signed.
  expect(await aSender().send({ url: to.url, secrets: [secret] }, MESSAGE)).toMatchObject({ status: 401 })
  await expect(to.close()).rejects.toThrow('problems')
  open = []
})

test('over TLS, the certificate must be of the host and from a known authority', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-webhooks-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const { ca, certificate, key } = makeCertificates(dir)
  const to = await aReceiver({ key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8') })
  expect(await aSender().send({ url: to.url, secrets: [secret] }, MESSAGE)).toMatchObject({
    delivered: false,
    error: expect.stringContaining('request failed'),
  })
  const knowing = aSender(LOOPBACK, 2_000, readFileSync(ca, 'utf8'))
  expect(await knowing.send({ url: to.url, secrets: [secret] }, MESSAGE)).toMatchObject({ delivered: true })
  expect(to.received).toHaveLength(1)
})

test('a redirect is a failure, and is not followed', async () => {
  const to = await aReceiver()
  to.answer(() => 302)
  expect(await aSender().send({ url: to.url, secrets: [secret] }, MESSAGE)).toMatchObject({
    delivered: false,
    status: 302,
  })
  expect(to.received.map(({ path }) => path)).toEqual(['/hook'])
})

test('an address inside is never connected to, also when a name leads there', async () => {
  const to = await aReceiver()
  const addresses = createAddresses({ ...LOOPBACK, webhookAllowedNetworks: [] }, async () => ['127.0.0.1'])
  const strict = createSender(addresses, 2_000, 4)
  onTestFinished(() => strict.close())
  for (const host of ['127.0.0.1', 'innocent.example', '[::ffff:127.0.0.1]']) {
    const answer = await strict.send({ url: `http://${host}:${to.port}/hook`, secrets: [secret] }, MESSAGE)
    expect(answer, host).toMatchObject({ delivered: false, error: expect.stringMatching(/^not sent: /) })
  }
  expect(to.received).toEqual([])
})

test('an endpoint that does not answer, or not to the end, costs no more than the timeout', async () => {
  const to = await aReceiver()
  to.answer(() => 'hang')
  const sent = await aSender(LOOPBACK, 300).send({ url: to.url, secrets: [secret] }, MESSAGE)
  expect(sent).toMatchObject({ delivered: false, error: 'no answer within 300 ms' })
  expect(sent.ms).toBeLessThan(1_500)
})

test('of an endless answer little is read', async () => {
  let written = 0
  let closed = false
  const server = createServer((_request, response) => {
    response.writeHead(200)
    response.on('close', () => {
      closed = true
    })
    const more = () => {
      while (!response.destroyed && written < 500_000_000) {
        written += 65_536
        if (!response.write(Buffer.alloc(65_536))) return response.once('drain', more)
      }
    }
    more()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  expect(await aSender().send({ url, secrets: [secret] }, MESSAGE)).toMatchObject({ delivered: true })
  await waitUntil('the connection to be closed', () => closed, { timeoutMs: 5_000, everyMs: 10 })
  expect(written).toBeLessThan(50_000_000)
})

test('a secret is stored encrypted, opened by any of the keys, and by no other webhook', () => {
  const made = createSecrets([KEY]).make('webhook 1')
  expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(made.stored.toString('latin1')).not.toContain(made.secret.slice(6, 20))
  expect(createSecrets([OTHER_KEY, KEY]).open('webhook 1', made.stored)).toBe(made.secret)
  expect(() => createSecrets([OTHER_KEY]).open('webhook 1', made.stored)).toThrow('no key of WEBHOOK_KEYS')
  expect(() => createSecrets([KEY]).open('webhook 2', made.stored)).toThrow('no key of WEBHOOK_KEYS')
})
