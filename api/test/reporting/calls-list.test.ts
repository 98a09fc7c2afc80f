import { CALL_DIRECTIONS, CALL_STATES } from '@hopwhistle/contract/calls.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Platform, Tenant, TestEvent } from './reporting-platform.ts'
import { startPlatform } from './reporting-platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.close())

type Call = {
  callId: string
  state: string
  direction: string | null
  from: string | null
  to: string | null
  startedAt: string
}

/** Every page of a list. @param between done after each page */
async function walk(
  tenant: Tenant,
  query: Record<string, string>,
  between: () => Promise<unknown> = async () => {},
): Promise<Call[]> {
  const calls: Call[] = []
  let cursor: string | null = null
  do {
    const { status, body } = await tenant.calls({ ...query, ...(cursor === null ? {} : { cursor }) })
    expect(status).toBe(200)
    calls.push(...body.calls)
    cursor = body.nextCursor
    await between()
  } while (cursor !== null)
  return calls
}

const newestFirst = (a: Call, b: Call) =>
  Date.parse(b.startedAt) - Date.parse(a.startedAt) || (a.callId < b.callId ? 1 : -1)

test('a walk shows every call that was there exactly once, while calls are being added at both ends', async () => {
  const tenant = await platform.newTenant()
  const at = Date.now() - 3_600_000
  // Three calls to each millisecond, so that pages end between calls of the same instant.
  const there = Array.from({ length: 300 }, (_, i) => ({
    callId: `call-${i}`,
    state: 'RINGING' as const,
    atMs: at + Math.floor(i / 3),
  }))
  const position = await tenant.post(...there)
  let added = 0
  const seen = await walk(tenant, { limit: '7', position }, async () => {
    added += 1
    await tenant.post(
      { callId: `new-${added}`, state: 'RINGING', atMs: at + 1_000 + added },
      { callId: `old-${added}`, state: 'RINGING', atMs: at - added },
      { callId: `among-${added}`, state: 'RINGING', atMs: at + ((added * 37) % 100) },
    )
  })
  const ids = seen.map((call) => call.callId)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.filter((id) => id.startsWith('call-')).toSorted()).toEqual(there.map((call) => call.callId).toSorted())
  expect(seen).toEqual(seen.toSorted(newestFirst))
})

test('every combination of filters lists exactly the calls that match it, in order, page by page', async () => {
  const tenant = await platform.newTenant()
  const at = Date.now() - 3_600_000
  const pick = <T>(items: readonly T[], i: number) => items[i % items.length] as T
  const events: TestEvent[] = Array.from({ length: 400 }, (_, i) => ({
    callId: `c${i}`,
    state: pick(CALL_STATES, i * 7 + Math.floor(i / 11)),
    atMs: at + (i % 50) * 1_000,
    ...pick([{}, { direction: 'inbound' }, { direction: 'outbound' }] as const, i * 5 + Math.floor(i / 13)),
    ...pick([{}, { from: '+100' }, { from: '+200' }] as const, Math.floor(i / 3)),
    ...pick([{}, { to: '+100' }, { to: '+300' }] as const, Math.floor(i / 7)),
  }))
  const position = await tenant.post(...events)
  const all = await walk(tenant, { limit: '200', position })
  expect(all).toHaveLength(400)

  const range = { startedFrom: new Date(at + 10_000).toISOString(), startedTo: new Date(at + 40_000).toISOString() }
  for (const state of [undefined, ...CALL_STATES]) {
    for (const direction of [undefined, ...CALL_DIRECTIONS]) {
      for (const fromNumber of [undefined, '+200']) {
        for (const toNumber of [undefined, '+300']) {
          for (const times of [{}, range]) {
            const given = { state, direction, fromNumber, toNumber }
            const filter = Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)) as Record<
              string,
              string
            >
            const expected = all.filter(
              (call) =>
                (state === undefined || call.state === state) &&
                (direction === undefined || call.direction === direction) &&
                (fromNumber === undefined || call.from === fromNumber) &&
                (toNumber === undefined || call.to === toNumber) &&
                (times !== range ||
                  (call.startedAt >= range.startedFrom.slice(0, 19) && call.startedAt < range.startedTo.slice(0, 19))),
            )
            const found = await walk(tenant, { ...filter, ...times, limit: '20' })
            expect(found, JSON.stringify({ ...filter, ...times })).toEqual(expected)
          }
        }
      }
    }
  }
})

test('a cursor goes on only with the filters it was made for, and unchanged', async () => {
  const tenant = await platform.newTenant()
  const at = Date.now() - 60_000
  const position = await tenant.post(
    ...Array.from({ length: 9 }, (_, i) => ({ callId: `c${i}`, state: 'RINGING' as const, atMs: at + i, from: '+1' })),
  )
  const cursor: string = (await tenant.calls({ limit: '3', fromNumber: '+1', position })).body.nextCursor
  const next = await tenant.calls({ limit: '5', fromNumber: '+1', cursor })
  expect(next.body.calls.map((call: Call) => call.callId)).toEqual(['c5', 'c4', 'c3', 'c2', 'c1'])
  const refused = [
    { cursor },
    { cursor, fromNumber: '+2' },
    { cursor, fromNumber: '+1', state: 'RINGING' },
    { cursor: `${cursor.slice(0, -2)}AA`, fromNumber: '+1' },
    { cursor: `${cursor}A`, fromNumber: '+1' },
    { cursor: `${cursor.startsWith('A') ? 'B' : 'A'}${cursor.slice(1)}`, fromNumber: '+1' },
    { cursor: `${cursor} `, fromNumber: '+1' },
  ]
  for (const query of refused) {
    expect(await tenant.calls(query), JSON.stringify(query)).toMatchObject({
      status: 400,
      body: { code: 'invalid-cursor' },
    })
  }
})

test('startedTo leaves out the call that started at it, startedFrom does not', async () => {
  const tenant = await platform.newTenant()
  const at = Math.floor(Date.now() / 1000) * 1000 - 60_000
  const position = await tenant.post(
    ...Array.from({ length: 3 }, (_, i) => ({ callId: `c${i}`, state: 'RINGING' as const, atMs: at + i * 1000 })),
  )
  const iso = (ms: number) => new Date(ms).toISOString()
  const { body } = await tenant.calls({ startedFrom: iso(at), startedTo: iso(at + 2000), position })
  expect(body.calls.map((call: Call) => call.callId)).toEqual(['c1', 'c0'])
})
