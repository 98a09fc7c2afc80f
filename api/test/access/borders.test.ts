/** What keeps tenants apart and within their rate, on two whole instances: also when the API's own checks are left out. */
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anEvent, get, type Platform, post, runningPlatform, type Tenant } from '../platform/running-platform.ts'

const RATE = 100
let platform: Platform
let acme: Tenant
let other: Tenant
beforeAll(async () => {
  platform = await runningPlatform(2, { TENANT_RATE_PER_SECOND: String(RATE) })
  acme = await platform.newTenant()
  other = await platform.newTenant()
})
afterAll(() => platform.close())

test('row-level security alone keeps a tenant from every row of another, whatever the API would ask', async () => {
  let position = ''
  for (const { key } of [acme, other]) {
    for (const state of ['INITIATED', 'COMPLETED'] as const) {
      const { status, body } = await post(platform.instances[0]!, anEvent(state, { callId: 'same', from: '+1' }), key)
      expect(status).toBe(201)
      position = body.position
    }
  }
  await get(platform.instances[0]!, ROUTES.reportCalls, acme.key, { [HEADERS.position]: position })
  const tables = await platform.query<{ name: string; rows: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
     where c.relnamespace = 'hopwhistle'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and has_table_privilege('hopwhistle_api', c.oid, 'select')`,
  )
  expect(tables.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['call_events', 'calls', 'call_metrics_hourly']),
  )

  // As the API's own role, with nothing of the API in between: its login, one tenant set, and no `where`.
  const api = new pg.Client({ connectionString: platform.database.apiUrl })
  await api.connect()
  await api.query(`select set_config('hopwhistle.tenant_ids', $1, false)`, [`{${acme.id}}`])
  let seen = 0
  for (const { name } of tables) {
    const { rows } = await api.query<{ tenant_id: string }>(`select distinct tenant_id from hopwhistle.${name}`)
    expect(
      rows.filter(({ tenant_id }) => tenant_id !== acme.id),
      name,
    ).toEqual([])
    seen += rows.length
    const ofOther = await api.query(`select from hopwhistle.${name} where tenant_id = $1`, [other.id])
    expect(ofOther.rowCount, name).toBe(0)
  }
  expect(seen).toBeGreaterThanOrEqual(2)
  const change = await api.query(`update hopwhistle.calls set state = 6 where tenant_id = $1`, [other.id])
  expect(change.rowCount).toBe(0)
  const steal = api.query('update hopwhistle.calls set tenant_id = $2 where tenant_id = $1', [acme.id, other.id])
  await expect(steal).rejects.toThrow(/row-level security/)
  await expect(api.query('set row_security = off; select from hopwhistle.calls')).rejects.toThrow(/row-level security/)
  await api.end()
  const states = await platform.query<{ state: number }>('select distinct state from hopwhistle.calls')
  expect(states).toEqual([{ state: 3 }])
})

test('the rate of a tenant is one for all instances together, and another tenant does not feel it', async () => {
  const began = performance.now()
  const pending: Promise<{ status: number; headers: Headers }>[] = []
  // Twice what is allowed, half of it through each instance, for three seconds.
  while (performance.now() - began < 3_000) {
    const due = ((performance.now() - began) / 1000) * 2 * RATE
    while (pending.length < due) {
      pending.push(get(platform.instances[pending.length % 2]!, `${ROUTES.reportCalls}?limit=1`, acme.key))
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect((await get(platform.instances[0]!, ROUTES.reportCalls, other.key)).status).toBe(200)
  const answers = await Promise.all(pending)
  const seconds = (performance.now() - began) / 1000
  const taken = answers.filter(({ status }) => status === 200).length
  const refused = answers.filter(({ status }) => status === 429)
  expect(taken + refused.length).toBe(answers.length)
  expect(refused.length).toBeGreaterThan(0)
  for (const { headers } of refused) expect(headers.get('retry-after')).toBe('1')
  // Each second may have what both took before they told each other, a tenth of it; the first and last are cut off.
  expect(taken).toBeLessThan(1.35 * RATE * (Math.ceil(seconds) + 1))
  expect(taken).toBeGreaterThan(RATE)
})
