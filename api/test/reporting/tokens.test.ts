import { hash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import { ownPostgres } from '../../../platform/test-support/own-postgres.ts'
import { startTcpProxy } from '../../../platform/test-support/tcp-proxy.ts'
import { filterKey } from '../../src/reporting/calls-filter.ts'
import type { Platform, Tenant } from './reporting-platform.ts'
import { startPlatform } from './reporting-platform.ts'

let platform: Platform
let tenant: Tenant
beforeAll(async () => {
  platform = await startPlatform()
  tenant = await platform.newTenant()
})
afterAll(() => platform.close())

/** As cursors were made when their seal was a hash without a secret: whoever reads the source can. */
function unsigned(tenantId: string, payload: string): string {
  const seal = hash('sha256', JSON.stringify(['calls cursor', 1, tenantId, filterKey({}), payload]), 'buffer')
  return Buffer.concat([seal.subarray(0, 12), Buffer.from(payload)]).toString('base64url')
}

test.each([
  ['a day that does not exist', '0|2026-02-31 10:00:00|call'],
  ['a position that will not come for years', '18446744073709551615|2026-02-28 10:00:00|call'],
])('a cursor that somebody made up is refused: %s', async (_, payload) => {
  const answer = await tenant.calls({ cursor: unsigned(tenant.tenantId, payload) })
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-cursor' } })
})

test.each(['FFFFFFFF/FFFFFFFF', '0/1'])('a position that somebody made up is refused: %s', async (position) => {
  for (const answer of [
    await tenant.calls({ position }),
    await tenant.metrics({ granularity: 'hour', position }),
    await tenant.ask('/api/v1/calls/none', { 'x-hopwhistle-position': position }),
  ]) {
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-position' } })
  }
})

const calls = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ callId: `c${i}`, state: 'RINGING' as const, atMs: Date.now() - i }))

test('a token is short, and good for nothing but what it was made for', async () => {
  const position = await tenant.post(...calls(3))
  const cursor = (await tenant.calls({ limit: '2', position })).body.nextCursor
  expect(position).toMatch(/^[\w-]{28}$/)
  expect((await tenant.calls({ limit: '2', cursor, position })).status).toBe(200)
  expect(await tenant.calls({ cursor: position })).toMatchObject({ status: 400, body: { code: 'invalid-cursor' } })
  for (const other of [cursor, `${position}A`, position.slice(1), '', ' ', 'AAAA', `B${position.slice(1)}`]) {
    const answer = await tenant.calls({ position: other })
    expect(answer, other).toMatchObject({ status: 400, body: { code: 'invalid-position' } })
  }
})

test('no change of a token, however small, leaves it good', async () => {
  const position = await tenant.post(...calls(1))
  const bytes = Buffer.from(position, 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
    await expect(platform.tokens.openPosition(changed.toString('base64url')), `bit ${bit}`).rejects.toMatchObject({
      code: 'invalid-position',
    })
  }
})

test('tokens that nobody was given make an instance ask the database hardly more than none would', async () => {
  const asked = async () => {
    const { rows } = await platform.owner.query(
      `select coalesce(sum(calls), 0)::int as calls from pg_stat_statements s join pg_database d on d.oid = s.dbid
       where datname = current_database() and query like '%token_keys%'`,
    )
    return rows[0].calls as number
  }
  const before = await asked()
  const startedAt = performance.now()
  for (let round = 0; round < 10; round++) {
    const asking = Array.from({ length: 50 }, async (_, i) => {
      const forged = Buffer.alloc(21, i)
      forged[0] = 100 + i
      expect((await tenant.calls({ position: forged.toString('base64url') })).status).toBe(400)
    })
    await Promise.all(asking)
  }
  expect((await asked()) - before).toBeLessThanOrEqual(2 + (performance.now() - startedAt) / 100)
})

test('a key that was made a moment ago is found while others ask for keys that there are not', async () => {
  const forged = Buffer.alloc(21, 250).toString('base64url')
  const { database } = platform
  for (let i = 0; i < 3; i++) {
    await platform.owner.query('insert into hopwhistle.token_keys default values')
    const after = await startPlatform({ database })
    try {
      const position = await after.actAs(tenant.tenantId).post(...calls(1))
      const noise = Promise.all([1, 2, 3].map(() => tenant.calls({ position: forged })))
      await tenant.calls({ position: forged })
      expect((await tenant.calls({ position })).status).toBe(200)
      await noise
    } finally {
      await after.close()
    }
  }
})

test('a key that was replaced is taken as long as it is there, by instances of before and after', async () => {
  const { database } = platform
  const oldToken = await tenant.post(...calls(1))
  await platform.owner.query('insert into hopwhistle.token_keys default values')
  const after = await startPlatform({ database })
  try {
    const same = after.actAs(tenant.tenantId)
    const newToken = await same.post(...calls(1))
    const keyOf = (token: string) => Buffer.from(token, 'base64url')[0]
    expect(keyOf(newToken)).not.toBe(keyOf(oldToken))
    for (const position of [oldToken, newToken]) {
      for (const asking of [tenant, same]) expect((await asking.calls({ position })).status).toBe(200)
    }
    await platform.owner.query('delete from hopwhistle.token_keys where id = $1', [keyOf(oldToken)])
    const later = await startPlatform({ database })
    try {
      const ask = later.actAs(tenant.tenantId)
      expect((await ask.calls({ position: newToken })).status).toBe(200)
      expect(await ask.calls({ position: oldToken })).toMatchObject({ body: { code: 'invalid-position' } })
    } finally {
      await later.close()
    }
  } finally {
    await after.close()
  }
})

test('after a failover, tokens of before are refused with what to do, and answers of before are not taken for newer ones', {
  timeout: 90_000,
}, async () => {
  const postgres = await ownPostgres()
  const database = await freshDatabase(postgres)
  const toPrimary = await startTcpProxy(postgres.primaryPort)
  const options = { database, primaryUrl: toPrimary.through(database.apiUrl), replicaUrl: null }
  const running = await startPlatform(options)
  try {
    const asking = await running.newTenant()
    const position = await asking.post(...calls(3))
    const cursor = (await asking.calls({ limit: '2', position })).body.nextCursor
    const query = { limit: '2', startedTo: new Date(Date.now() - 86_400_000).toISOString() }
    expect((await asking.calls(query)).body.source).toBe('primary')
    expect((await asking.calls(query)).body.source).toBe('cache')
    await database.replicaCaughtUp()
    await running.ownerReplica.query('select pg_promote()')
    toPrimary.lead(postgres.replicaPort)
    toPrimary.set('cut')
    toPrimary.set('open')
    await waitUntil(
      'the new primary to answer',
      async () => (await asking.metrics({ granularity: 'day' })).status === 200,
      {
        timeoutMs: 15_000,
      },
    )
    const fresh = await startPlatform(options)
    try {
      for (const one of [asking, fresh.actAs(asking.tenantId)]) {
        expect(await one.calls({ position })).toMatchObject({ status: 410, body: { code: 'token-outdated' } })
        expect((await one.calls({ position })).body.detail).toContain('leave it out')
        const { body } = await one.calls({ limit: '2', cursor })
        expect(body).toMatchObject({ code: 'token-outdated', errors: [{ field: 'cursor' }] })
        expect(body.detail).toContain('start again')
      }
      expect((await asking.calls(query)).body.source).toBe('primary')
      const next = await asking.post({ callId: 'later', state: 'RINGING', atMs: Date.now() })
      expect((await fresh.actAs(asking.tenantId).ask(`/api/v1/calls/later?position=${next}`)).status).toBe(200)
    } finally {
      await fresh.close()
    }
  } finally {
    await running.close()
    await toPrimary.close()
    await postgres.stop()
  }
})
