import { afterAll, beforeAll, expect, test } from 'vitest'
import { anEvent, type Platform, runningPlatform, type Tenant } from '../../api/test/platform/running-platform.ts'
import { type Call, createSender, exportCalls, followChanges, HopwhistleError } from '../src/index.ts'
import { proxyTo } from './support/proxy-to.ts'

const QUICK = { firstMs: 1, maxMs: 50 }
const CALLS = 1_000

let platform: Platform
let acme: Tenant
/** Newest first. */
let callIds: string[]
beforeAll(async () => {
  platform = await runningPlatform(1, { EXPORT_LINES_MAX: '400', TENANT_RATE_PER_SECOND: '1000000' })
  acme = await platform.newTenant()
  const startedAt = Date.now() - 3_600_000
  const events = Array.from({ length: CALLS }, (_, i) =>
    anEvent(i % 2 === 0 ? 'RINGING' : 'COMPLETED', {
      callId: `call ${i} 📞`,
      occurredAt: new Date(startedAt + Math.floor(i / 3) * 1000).toISOString(),
      from: '+4930123456',
    }),
  )
  const sent = await createSender({ url: url(), apiKey: acme.key }).send(events)
  expect(new Set(sent.map(({ outcome }) => outcome))).toEqual(new Set(['applied']))
  callIds = events
    .toSorted((a, b) => compare(b.occurredAt, a.occurredAt) || compare(b.callId, a.callId))
    .map(({ callId }) => callId)
  await platform.database.replicaCaughtUp()
})
afterAll(() => platform.close())

const url = () => platform.instances[0]!.url
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const idsOf = async (calls: AsyncIterable<Call>) => {
  const ids: string[] = []
  for await (const { callId } of calls) ids.push(callId)
  return ids
}

test('every call of a filter comes once and in order, though the server ends a request after 400', async () => {
  const resumed: unknown[] = []
  const all = exportCalls({ url: url(), apiKey: acme.key }, {}, { onResume: (why) => resumed.push(why) })
  expect(await idsOf(all)).toEqual(callIds)
  expect(resumed).toEqual([{ retryInMs: 0 }, { retryInMs: 0 }])
  const completed = exportCalls({ url: url(), apiKey: acme.key }, { state: 'COMPLETED' })
  expect(await idsOf(completed)).toEqual(callIds.filter((id) => Number(id.split(' ')[1]) % 2 === 1))
  expect(await idsOf(exportCalls({ url: url(), apiKey: acme.key }, { toNumber: '+1' }))).toEqual([])
})

test('of two labels, calls have both', async () => {
  const tenant = await platform.newTenant()
  await platform.query(`update hopwhistle.tenants set labels = '{campaign,source}' where id = $1`, [tenant.id])
  const platformOf = { url: url(), apiKey: tenant.key }
  const one = anEvent('RINGING', { labels: { campaign: 'spring' } })
  const both = anEvent('RINGING', { labels: { campaign: 'spring', source: 'search' } })
  await createSender(platformOf).send([one, both])
  await platform.database.replicaCaughtUp()
  const label = ['campaign:spring', 'source:search']
  expect(await idsOf(exportCalls(platformOf, { label }))).toEqual([both.callId])
  const changes = followChanges(platformOf, { since: new Date(Date.now() - 60_000), filter: { label }, everyMs: 50 })
  for await (const { calls } of changes) {
    if (calls.length === 0) continue
    expect(calls.map(({ callId }) => callId)).toEqual([both.callId])
    break
  }
})

test('a connection that breaks within a line costs no call and repeats none', async () => {
  const proxy = await proxyTo(url())
  // Within the second page of each of the first requests, after the lines before it have been read.
  const marks = [callIds[250]!, callIds[420]!, callIds[990]!]
  const causes: unknown[] = []
  proxy.loseNextAnswer(marks.shift()!)
  const all = exportCalls(
    { url: proxy.url, apiKey: acme.key },
    {},
    {
      backoff: QUICK,
      onResume: ({ cause }) => {
        // 429: the server has not noticed yet that the connection is gone.
        if (cause === undefined || cause instanceof HopwhistleError) return
        causes.push(cause)
        const next = marks.shift()
        if (next !== undefined) proxy.loseNextAnswer(next)
      },
    },
  )
  expect(await idsOf(all)).toEqual(callIds)
  expect(proxy.lost()).toBe(3)
  expect(causes).toHaveLength(3)
})

test('a later export goes on where an earlier one was left', async () => {
  const first = exportCalls({ url: url(), apiKey: acme.key })
  const ids: string[] = []
  for await (const { callId } of first) {
    ids.push(callId)
    if (ids.length === 321) break
  }
  const { cursor } = first
  const rest = await idsOf(exportCalls({ url: url(), apiKey: acme.key }, {}, { after: cursor! }))
  expect([...ids, ...rest]).toEqual(callIds)
})

test('what would be refused again is thrown', async () => {
  const none = exportCalls({ url: url(), apiKey: 'unknown' })
  await expect(idsOf(none)).rejects.toThrow(HopwhistleError)
  await expect(idsOf(none)).resolves.toEqual([])
  const damaged = exportCalls({ url: url(), apiKey: acme.key }, {}, { after: 'damaged' })
  await expect(idsOf(damaged)).rejects.toMatchObject({ problem: { code: 'invalid-cursor' } })
})
