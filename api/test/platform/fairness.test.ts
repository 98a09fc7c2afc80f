/** What one tenant does, another does not notice. */
import { setTimeout as sleep } from 'node:timers/promises'
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { anEvent, type Platform, post, runningPlatform } from './running-platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await runningPlatform(1, {
    INGEST_QUEUE_MAX: '4000',
    TENANT_RATE_PER_SECOND: '1000000',
    WEBHOOK_KEYS: Buffer.alloc(32, 1).toString('base64'),
  })
})
afterAll(() => platform.close())

const at = () => platform.instances[0]!

test('60 connections that send batches of 500 are refused with 429, and no single event of another tenant is', async () => {
  const [flood, quiet] = [await platform.newTenant(), await platform.newTenant()]
  let done = false
  const statuses = new Map<number, number>()
  const sending = Array.from({ length: 60 }, async () => {
    while (!done) {
      const events = Array.from({ length: 500 }, () => anEvent('INITIATED'))
      const { status, headers } = await post(at(), { events }, flood.key, ROUTES.callEvents)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === 429) expect(headers.get('retry-after')).toBe('1')
    }
  })
  const quietly: number[] = []
  const enough = () => quietly.length >= 60 && (statuses.get(200) ?? 0) >= 5 && (statuses.get(429) ?? 0) >= 60
  const until = performance.now() + 15_000
  while (!enough() && performance.now() < until) {
    quietly.push((await post(at(), anEvent('INITIATED'), quiet.key)).status)
    await sleep(10)
  }
  done = true
  await Promise.all(sending)
  expect(new Set(quietly)).toEqual(new Set([201]))
  expect([...statuses.keys()].toSorted()).toEqual([200, 429])
}, 60_000)

test('requests of one tenant about its settings leave the connection that finds the keys of others', async () => {
  const scopes = ['events:write', 'reports:read', 'live:read', 'webhooks:write']
  const [flood, quiet] = [await platform.newTenant(scopes), await platform.newTenant()]
  const ask = (method: string, path: string, body?: unknown) =>
    fetch(at().url + path, {
      method,
      headers: { 'x-api-key': flood.key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).then((answer) => answer.status)
  expect(await ask('GET', ROUTES.labels)).toBe(200)
  const owner = await connectPostgres(platform.database.ownerUrl)
  const waiting: Promise<number>[] = []
  try {
    await owner.query('begin')
    await owner.query('lock table hopwhistle.tenants, hopwhistle.webhooks, hopwhistle.browser_tokens in exclusive mode')
    for (let i = 0; i < 10; i++) {
      waiting.push(ask('PUT', ROUTES.labels, { labels: [`label_${i}`] }), ask('POST', ROUTES.tokens, {}))
      waiting.push(ask('POST', ROUTES.webhooks, { url: 'https://a.example/', patterns: ['call.*'] }))
    }
    const locked = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await waitUntil('them to wait', async () => (await platform.query(locked)).length > 0, { timeoutMs: 10_000 })
    expect((await post(at(), anEvent('INITIATED'), quiet.key)).status).toBe(201)
    const metrics = await (await fetch(at().url + ROUTES.metrics)).text()
    expect(metrics).toContain(`${METRICS.poolWaiting}{pool="upkeep"} 0`)
    expect((await platform.query(locked)).length).toBe(1)
  } finally {
    await owner.query('rollback')
    await owner.end()
  }
  expect(new Set(await Promise.all(waiting))).toEqual(new Set([200, 201]))
})
