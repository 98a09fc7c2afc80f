import { randomUUID } from 'node:crypto'
import { CALL_STATES } from '@hopwhistle/contract/calls.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import type { Platform, Tenant, TestEvent } from './reporting-platform.ts'
import { startPlatform } from './reporting-platform.ts'

/** Two instances: one reads the replica, the other the primary, which is ahead of it. Both fold. */
let platform: Platform
let onPrimary: Platform
beforeAll(async () => {
  platform = await startPlatform()
  onPrimary = await startPlatform({ database: platform.database, replicaUrl: null })
})
afterAll(() => Promise.all([platform.close(), onPrimary.close()]))

const iso = (ms: number) => new Date(ms).toISOString()
const BEGINNING = iso(Date.now() - 60_000)

type Shown = { readonly callId: string; readonly state: string } & Record<string, unknown>

/** Follows the feed as a warehouse does. */
function follow(readers: readonly Tenant[], query: Record<string, string> = {}) {
  const shown: Shown[] = []
  let cursor: string | undefined
  let polls = 0
  async function poll(): Promise<boolean> {
    const reader = readers[polls++ % readers.length] as Tenant
    const { status, body } = await reader.calls({
      updatedSince: BEGINNING,
      ...query,
      ...(cursor === undefined ? {} : { cursor }),
    })
    expect(status, JSON.stringify(body)).toBe(200)
    shown.push(...body.calls)
    expect(body.nextCursor).toEqual(expect.any(String))
    cursor = body.nextCursor
    return body.more
  }
  return {
    shown,
    poll,
    cursor: () => cursor as string,
    /** Polls until a poll of every reader has nothing more, and it is as it should be. */
    until: (what: string, isSo: () => boolean) =>
      waitUntil(
        what,
        async () => {
          while (await poll());
          return isSo()
        },
        { timeoutMs: 20_000, everyMs: 20 },
      ),
  }
}

const lastOf = (shown: readonly Shown[]) => new Map(shown.map((call) => [call.callId, call]))
const fold = () => platform.owner.query('select hopwhistle.fold_call_metrics()')

async function stored(tenant: Tenant): Promise<ReadonlyMap<string, Shown>> {
  const calls: Shown[] = []
  let cursor: string | null = null
  const position = await tenant.post({ callId: 'last', state: 'INITIATED', atMs: Date.now() })
  do {
    const { body } = await tenant.calls({ limit: '200', position, ...(cursor === null ? {} : { cursor }) })
    calls.push(...body.calls)
    cursor = body.nextCursor
  } while (cursor !== null)
  return lastOf(calls)
}

/** No two in a row of one call say the same. */
function expectNoneTwice(shown: readonly Shown[]) {
  const before = new Map<string, string>()
  for (const call of shown) {
    const now = JSON.stringify(call)
    expect(before.get(call.callId), `${call.callId} came twice in a row`).not.toBe(now)
    before.set(call.callId, now)
  }
}

test('whoever follows the feed misses no change and gets none twice, while many writers commit and every server is read', async () => {
  const arrival = fc.record({
    call: fc.integer({ min: 0, max: 12 }),
    state: fc.constantFrom(...CALL_STATES),
    offsetMs: fc.integer({ min: -7_200_000, max: 0 }),
    // Whether the batch ends with it.
    ends: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(arrival, { minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 6 }),
      fc.integer({ min: 1, max: 7 }),
      async (writers, limit) => {
        const tenant = await platform.newTenant()
        const other = onPrimary.actAs(tenant.tenantId)
        const feed = follow([tenant, other], { limit: String(limit) })
        const at = Date.now()
        let writing = writers.length
        const wrote = writers.map(async (arrivals, writer) => {
          let batch: TestEvent[] = []
          for (const [i, { call, state, offsetMs, ends }] of arrivals.entries()) {
            batch.push({ callId: `c${call}`, state, atMs: at + offsetMs })
            if (!ends && i < arrivals.length - 1) continue
            await (writer % 2 === 0 ? tenant : other).post(...batch)
            batch = []
          }
          writing -= 1
        })
        const folded = (async () => {
          while (writing > 0) await fold()
        })()
        while (writing > 0) await feed.poll()
        await Promise.all([...wrote, folded])
        const expected = await stored(tenant)
        await fold()
        await feed.until('everything to be shown', () => {
          const last = lastOf(feed.shown)
          return [...expected].every(([id, call]) => JSON.stringify(last.get(id)) === JSON.stringify(call))
        })
        expectNoneTwice(feed.shown)
        expect(new Set(feed.shown.map(({ callId }) => callId))).toEqual(new Set(expected.keys()))
        const before = feed.shown.length
        for (let i = 0; i < 4; i++) expect(await feed.poll()).toBe(false)
        expect(feed.shown).toHaveLength(before)
      },
    ),
    { numRuns: 25, interruptAfterTimeLimit: 40_000 },
  )
}, 90_000)

test('a change whose transaction began first and is committed last is shown', async () => {
  const tenant = await platform.newTenant()
  const other = onPrimary.actAs(tenant.tenantId)
  const slow = await connectPostgres(platform.database.apiUrl)
  await slow.query('begin')
  await slow.query(`select set_config('hopwhistle.tenant_ids', $1, true)`, [`{${tenant.tenantId}}`])
  const now = Date.now()
  await slow.query(`select * from hopwhistle.write_call_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, [
    [tenant.tenantId],
    [randomUUID()],
    ['slow'],
    [1],
    [now],
    [now * 1000],
    [null],
    [null],
    [null],
    [null],
    [null],
    [1],
  ])
  const feed = follow([tenant, other])
  await tenant.post({ callId: 'quick', state: 'RINGING', atMs: now })
  await feed.until('the quick one', () => feed.shown.some(({ callId }) => callId === 'quick'))
  for (let i = 0; i < 4; i++) await feed.poll()
  await slow.query('commit')
  await fold()
  await feed.until('the slow one', () => feed.shown.some(({ callId }) => callId === 'slow'))
  expect(feed.shown.map(({ callId }) => callId)).toEqual(['quick', 'slow'])
})

test('a later event of a call is a change, also one that came late or filled in a number, and a duplicate is none', async () => {
  const tenant = await platform.newTenant()
  const feed = follow([tenant])
  const at = Date.now() - 5_000
  const events: TestEvent[] = [
    { callId: 'c', state: 'ANSWERED', atMs: at },
    { callId: 'c', state: 'INITIATED', atMs: at - 2_000 },
    { callId: 'c', state: 'INITIATED', atMs: at, from: '+1' },
    { callId: 'c', state: 'COMPLETED', atMs: at + 1_000 },
  ]
  for (const [i, event] of events.entries()) {
    await tenant.post({ ...event, eventId: `e${i}` })
    await feed.until(`change ${i}`, () => feed.shown.length === i + 1)
  }
  await tenant.post({ ...(events[3] as TestEvent), eventId: 'e3' })
  await fold()
  for (let i = 0; i < 5; i++) await feed.poll()
  expect(feed.shown).toMatchObject([
    { state: 'ANSWERED', startedAt: expect.stringContaining(iso(at).slice(0, 19)), from: null },
    { state: 'ANSWERED', startedAt: expect.stringContaining(iso(at - 2_000).slice(0, 19)), from: null },
    { state: 'ANSWERED', from: '+1' },
    { state: 'COMPLETED', from: '+1', talkMs: 1_000, durationMs: 3_000 },
  ])
})

test('a page that is full goes on where it ended, and filters leave out what does not match now', async () => {
  const tenant = await platform.newTenant()
  const at = Date.now() - 5_000
  await tenant.post(
    ...Array.from({ length: 450 }, (_, i) => ({
      callId: `c${String(i).padStart(3, '0')}`,
      state: i % 3 === 0 ? ('COMPLETED' as const) : ('RINGING' as const),
      atMs: at,
    })),
  )
  await fold()
  const all = follow([tenant], { limit: '100' })
  await all.until('all of them', () => all.shown.length === 450)
  expect(new Set(all.shown.map(({ callId }) => callId)).size).toBe(450)
  const some = follow([tenant], { limit: '7', state: 'COMPLETED' })
  await some.until('those that are completed', () => some.shown.length === 150)
  expect(new Set(some.shown.map(({ state }) => state))).toEqual(new Set(['COMPLETED']))
})

test('it begins at updatedSince: nothing that was folded well before, everything that changed later', async () => {
  const tenant = await platform.newTenant()
  await tenant.post({ callId: 'before', state: 'RINGING', atMs: Date.now() })
  await waitUntil(
    'it to be folded',
    async () => {
      await fold()
      const { rows } = await platform.owner.query('select from hopwhistle.call_changes where tenant_id = $1', [
        tenant.tenantId,
      ])
      return rows.length > 0
    },
    { timeoutMs: 10_000 },
  )
  await platform.owner.query(`update hopwhistle.call_changes set folded_at = folded_at - interval '1 minute'`)
  const since = iso(Date.now())
  await tenant.post({ callId: 'after', state: 'RINGING', atMs: Date.now() })
  const feed = follow([tenant], { updatedSince: since })
  await feed.until('what came after', () => feed.shown.length > 0)
  expect(feed.shown.map(({ callId }) => callId)).toEqual(['after'])
})

test('a cursor is good for its tenant, its filter and its question only, and unchanged', async () => {
  const tenant = await platform.newTenant()
  const feed = follow([tenant])
  await feed.poll()
  const cursor = feed.cursor()
  const list = (await tenant.calls({ limit: '1' })).body
  expect(list.nextCursor).toBeNull()
  const refused = [
    { updatedSince: BEGINNING, cursor, state: 'RINGING' },
    { cursor },
    { updatedSince: BEGINNING, cursor: `${cursor.slice(0, -2)}AA` },
  ]
  for (const query of refused) {
    expect(await tenant.calls(query), JSON.stringify(query)).toMatchObject({
      status: 400,
      body: { code: 'invalid-cursor' },
    })
  }
  const stranger = await platform.newTenant()
  expect((await stranger.calls({ updatedSince: BEGINNING, cursor })).body.code).toBe('invalid-cursor')
  for (const query of [{ order: 'talkMs' }, { count: 'exact' }]) {
    const { status, body } = await tenant.calls({ updatedSince: BEGINNING, ...query })
    expect(status).toBe(400)
    expect(body.errors).toEqual([{ field: Object.keys(query)[0], message: 'cannot be given with updatedSince' }])
  }
  expect(await tenant.calls({ updatedSince: iso(Date.now() + 3_600_000) })).toMatchObject({
    status: 422,
    body: { code: 'time-out-of-range' },
  })
})

test('after a restore or a failover a cursor is refused, as every other', async () => {
  const tenant = await platform.newTenant()
  const feed = follow([tenant])
  await feed.poll()
  // What another history of the same database would have sealed.
  const cursor = Buffer.from(feed.cursor(), 'base64url')
  const { rows } = await platform.owner.query('select secret from hopwhistle.token_keys where id = $1', [cursor[0]])
  const { createHmac } = await import('node:crypto')
  const signed = Buffer.concat([cursor.subarray(0, 1), Buffer.from('zzzz'), cursor.subarray(5, -8)])
  const purpose = JSON.stringify(['changes cursor', 1, tenant.tenantId, '[null,null,null,null,null,null]'])
  const signature = createHmac('sha256', rows[0].secret).update(`${purpose}\0`).update(signed).digest().subarray(0, 8)
  const outdated = Buffer.concat([signed, signature]).toString('base64url')
  expect(await tenant.calls({ updatedSince: BEGINNING, cursor: outdated })).toMatchObject({
    status: 410,
    body: { code: 'token-outdated' },
  })
})

test('changes go when they are old, and who was away for longer is told so; who polls is not, though nothing changes', async () => {
  const own = await startPlatform({ replicaUrl: null })
  try {
    const tenant = await own.newTenant()
    const query = (text: string, values: unknown[] = []) => own.owner.query(text, values)
    const away = follow([tenant])
    await tenant.post({ callId: 'a', state: 'RINGING', atMs: Date.now() })
    await away.until('the first', () => away.shown.length === 1)
    const polling = follow([tenant])
    await polling.until('the first', () => polling.shown.length === 1)
    // Eight days later.
    await query(`update hopwhistle.call_changes set folded_at = folded_at - interval '8 days'`)
    const aged = (await query(`select hopwhistle.forget_old_changes(interval '7 days', 200) as gone`)).rows[0].gone
    expect(aged).toBe(1)
    expect((await query('select from hopwhistle.call_changes')).rowCount).toBe(0)
    await query(`update hopwhistle.call_changes_kept set since = now() + interval '1 hour'`)
    expect(await tenant.calls({ updatedSince: BEGINNING, cursor: away.cursor() })).toMatchObject({
      status: 410,
      body: { code: 'changes-forgotten', errors: [{ field: 'cursor' }] },
    })
    expect(await tenant.calls({ updatedSince: BEGINNING })).toMatchObject({
      status: 410,
      body: { code: 'changes-forgotten', errors: [{ field: 'updatedSince' }] },
    })
    // Somebody who has asked since: what was folded until then was shown.
    await query(`update hopwhistle.call_changes_kept set since = now() - interval '1 hour'`)
    await query(`update hopwhistle.rollup_folding set folded_until = now() + interval '2 hours'`)
    await polling.poll()
    await query(`update hopwhistle.call_changes_kept set since = now() + interval '1 hour'`)
    await tenant.post({ callId: 'b', state: 'RINGING', atMs: Date.now() })
    await polling.until('the next', () => polling.shown.length === 2)
  } finally {
    await own.close()
  }
})

test('another tenant sees none of it', async () => {
  const [tenant, stranger] = [await platform.newTenant(), await platform.newTenant()]
  await tenant.post({ callId: 'mine', state: 'RINGING', atMs: Date.now() })
  const feed = follow([tenant])
  await feed.until('it', () => feed.shown.length === 1)
  const others = follow([stranger, onPrimary.actAs(stranger.tenantId)])
  for (let i = 0; i < 4; i++) await others.poll()
  expect(others.shown).toEqual([])
})
