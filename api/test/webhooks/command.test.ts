/** `npm run webhooks`, as operators run it, next to instances that deliver. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { anEvent, get, type Platform, post, runningPlatform, type Tenant } from '../platform/running-platform.ts'
import { type Receiver, receiver } from './receiver.ts'

vi.setConfig({ testTimeout: 60_000 })

const WEBHOOKS_ON = {
  WEBHOOK_KEYS: Buffer.alloc(32, 9).toString('base64'),
  WEBHOOK_ALLOW_HTTP: 'true',
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
  WEBHOOK_RETRY_AFTER_MS: '50',
}
const soon = { timeoutMs: 30_000, everyMs: 20 }

let platform: Platform
beforeAll(async () => {
  platform = await runningPlatform(2, WEBHOOKS_ON)
})
afterAll(() => platform.close())

const webhooks = (...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const file = fileURLToPath(new URL('../../src/commands/webhooks.ts', import.meta.url))
    const env = { PATH: process.env.PATH, MIGRATION_DATABASE_URL: platform.database.ownerUrl }
    execFile(process.execPath, [file, ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
/** The cells of each line below the head. */
const cells = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.trimEnd().split(/ {2,}/))

const first = () => platform.instances[0]!

type Subscribed = { readonly tenant: Tenant; readonly id: string; readonly secret: string; readonly to: Receiver }

async function subscribed(path = ''): Promise<Subscribed> {
  const tenant = await platform.newTenant(['events:write', 'webhooks:write'])
  const to = await receiver()
  onTestFinished(() => to.close())
  const given = { url: `${to.url}${path}`, patterns: ['call.answered', 'call.completed'] }
  const { status, body } = await post(first(), given, tenant.key, ROUTES.webhooks)
  expect(status, JSON.stringify(body)).toBe(201)
  to.secret(body.secret)
  return { tenant, to, id: body.id, secret: body.secret }
}
const stateOf = async ({ tenant, id }: Subscribed) =>
  (await get(first(), `${ROUTES.webhooks}/${id}`, tenant.key)).body.state
const answered = ({ tenant }: Subscribed) => post(first(), anEvent('ANSWERED'), tenant.key)

test('the list has every webhook with its host, and nothing of its URL or secret that could open anything', async () => {
  expect((await webhooks('list', '--tenant', randomUUID())).out).toBe('There is no webhook.\n')
  const [one, other] = [await subscribed('?token=hunter2'), await subscribed('/hunter3')]
  await answered(one)
  await waitUntil('a delivery', () => one.to.accepted.length === 1, soon)
  const listed = async (...args: string[]) => (await webhooks('list', ...args)).out
  await waitUntil('its time', async () => !(await listed('--tenant', one.tenant.id)).includes('never'), soon)
  const { code, out, err } = await webhooks('list')
  expect([code, err]).toEqual([0, ''])
  for (const secret of ['hunter', one.secret, other.secret]) expect(out).not.toContain(secret)
  const rows = new Map(cells(out).map((row) => [row[0], row]))
  const host = ({ to }: Subscribed) => new URL(to.url).host
  const patterns = 'call.answered,call.completed'
  expect(rows.get(one.id)).toEqual([
    one.id,
    one.tenant.id,
    host(one),
    patterns,
    'active',
    '0',
    expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d/),
  ])
  expect(rows.get(other.id)).toEqual([other.id, other.tenant.id, host(other), patterns, 'active', '0', 'never'])
  expect(cells(await listed('--tenant', other.tenant.id)).map(([id]) => id)).toEqual([other.id])
})

test('a webhook that is paused delivers nothing until it is enabled, and then what has come meanwhile', async () => {
  const one = await subscribed()
  expect(await webhooks('pause', one.id, '--by', 'Maya')).toMatchObject({ code: 0, err: /done: pause/ })
  expect(await stateOf(one)).toBe('paused')
  expect(cells((await webhooks('list', '--tenant', one.tenant.id)).out)[0]?.[4]).toBe('paused')
  expect((await answered(one)).status).toBe(201)
  expect((await webhooks('enable', one.id)).code).toBe(0)
  expect(await stateOf(one)).toBe('active')
  await waitUntil('what came meanwhile', () => one.to.accepted.length === 1, soon)
})

test('one that the platform has disabled is listed with its reason, and enabled again', async () => {
  const one = await subscribed()
  one.to.answer(() => 410)
  await answered(one)
  await waitUntil('the end', async () => (await stateOf(one)) === 'disabled', soon)
  expect(cells((await webhooks('list', '--tenant', one.tenant.id)).out)[0]?.[4]).toBe('disabled: gone')
  one.to.answer(() => 204)
  expect((await webhooks('enable', one.id)).code).toBe(0)
  await waitUntil('what was refused', () => one.to.accepted.length === 1, soon)
})

test('one that is deleted is gone for its tenant; the audit has who did what', async () => {
  const one = await subscribed()
  await webhooks('pause', one.id, '--by', 'Maya')
  expect((await webhooks('delete', one.id, '--by', 'Ravi')).code).toBe(0)
  expect((await get(first(), `${ROUTES.webhooks}/${one.id}`, one.tenant.key)).status).toBe(404)
  const audit = cells((await webhooks('audit', '--tenant', one.tenant.id)).out)
  expect(audit.map((row) => [row[1], row[2], row[4]])).toEqual([
    ['made', one.id, expect.any(String)],
    ['paused', one.id, 'Maya'],
    ['deleted', one.id, 'Ravi'],
  ])
  for (const verb of ['enable', 'pause', 'delete']) {
    const { code, err } = await webhooks(verb, one.id)
    expect([code, err]).toEqual([1, expect.stringContaining(`there is no webhook ${one.id}`)])
  }
})

test('what it is not to do, it says, and changes nothing', async () => {
  for (const [args, said] of [
    [[], 'the first argument may be list, audit, enable, pause, delete'],
    [['stop'], 'the first argument may be'],
    [['list', randomUUID()], 'list takes only --tenant ID'],
    [['list', '--tenant', 'acme'], '--tenant'],
    [['pause'], 'pause takes the id of one webhook'],
    [['delete', 'all'], "a webhook's id"],
    [['pause', randomUUID(), '--tenant', randomUUID()], '--tenant'],
  ] as const) {
    const { code, out, err } = await webhooks(...args)
    expect([code, out, err]).toEqual([2, '', expect.stringContaining(said)])
  }
  expect((await webhooks('--help')).out).toContain('Usage: npm run webhooks -- list')
})
