import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import type { CallsFilter } from '../../src/reporting/calls-filter.ts'
import { CALLS_ORDERS } from '../../src/reporting/calls-order.ts'
import { callsPageStatement } from '../../src/reporting/calls-page-statement.ts'
import { changesStatement } from '../../src/reporting/changes.ts'
import { type Breakdown, parseBreakdown } from '../../src/reporting/groups/breakdown.ts'
import { breakdownStatement } from '../../src/reporting/groups/breakdown-statement.ts'
import { metricsStatement } from '../../src/reporting/metrics-statement.ts'
import type { ReportStatement } from '../../src/reporting/read-report.ts'

const CALLS = 60_000
const tenantId = randomUUID()
let api: pg.Client

/** One tenant, one busy number, and states and directions that hardly occur: the worst there is for an index. */
beforeAll(async () => {
  const database = await freshDatabase()
  const owner = await connectPostgres(database.ownerUrl)
  await owner.query('insert into hopwhistle.tenants (id, name) values ($1, $2)', [tenantId, 'busy'])
  await owner.query(
    `insert into hopwhistle.calls (tenant_id, call_id, state, direction, from_number, to_number, started_at, answered_at, ended_at, talk_ms, updated_at)
     select $1, 'call-' || i, case when i % 10000 = 1 then 6 when i % 10000 = 2 then 1 else 3 end,
       case when i % 10000 = 3 then 1 when i % 2 = 0 then 0 end,
       case when i % 3 > 0 then '+1' else '+3' end, case when i % 3 > 0 then '+2' else '+4' end, now() - i * interval '1 second',
       now() - i * interval '1 second',
       case when i % 10000 <> 2 then now() - i * interval '1 second' + (i % 50000) * interval '1 millisecond' end,
       case when i % 10000 <> 2 then i % 50000 end, now()
     from generate_series(1, $2::int) as i`,
    [tenantId, CALLS],
  )
  await owner.query(
    `insert into hopwhistle.call_metrics_hourly
     select $1, date_trunc('hour', now(), 'UTC') - i * interval '1 hour', 1,0,0,0,1,0,0,0,0,1,0,1,1,1,5,5,1,1,1,1,1,1, '{5}','{1}','{5}','{1}'
     from generate_series(0, 20000) as i`,
    [tenantId],
  )
  await owner.query(
    `insert into hopwhistle.call_changes (tenant_id, call_ids, sequences)
     select $1, array_agg('call-' || (part * 100 + i)), array_agg(null::integer)
     from generate_series(0, 599) as part, generate_series(1, 100) as i group by part order by part`,
    [tenantId],
  )
  await owner.query('vacuum analyze hopwhistle.calls, hopwhistle.call_metrics_hourly, hopwhistle.call_changes')
  api = await connectPostgres(database.apiUrl)
})

type Node = {
  'Node Type': string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: Node[]
}

/** What the statement reads as hopwhistle_api, with row-level security; a prepared one as it is after some use. */
async function rowsRead({ name, text, values }: ReportStatement) {
  await api.query(`set plan_cache_mode = ${name === undefined ? 'force_custom_plan' : 'force_generic_plan'}`)
  await api.query(`prepare statement as ${text}`)
  const literals = values.map((value) => (value === null ? 'null' : pg.escapeLiteral(String(value))))
  const { rows } = await api.query(`explain (analyze, format json) execute statement (${literals})`)
  await api.query('deallocate statement')
  const nodes: Node[] = []
  const visit = (node: Node) => {
    nodes.push(node)
    node.Plans?.forEach(visit)
  }
  visit(rows[0]['QUERY PLAN'][0].Plan)
  const scans = nodes.filter((n) => /Scan/.test(n['Node Type']) && !/Subquery|CTE|Function/.test(n['Node Type']))
  return {
    read: scans.reduce(
      (sum, n) => sum + (n['Actual Rows'] + (n['Rows Removed by Filter'] ?? 0)) * n['Actual Loops'],
      0,
    ),
    whole: scans.filter((n) => n['Node Type'] === 'Seq Scan').length,
  }
}

const filters: CallsFilter[] = [undefined, 'COMPLETED', 'FAILED', 'CANCELED', 'RINGING', 'ANSWERED'].flatMap((state) =>
  [undefined, 'inbound', 'outbound'].flatMap((direction) =>
    [undefined, '+1', '+9'].flatMap((fromNumber) =>
      [undefined, '+2'].map((toNumber) =>
        Object.fromEntries(
          Object.entries({ state, direction, fromNumber, toNumber }).filter(([, v]) => v !== undefined),
        ),
      ),
    ),
  ),
)

test('a page of calls reads no more than some pages worth of rows, first or deep, under every combination of filters', async () => {
  const deep = {
    place: [new Date(Date.now() - 45_000_000).toISOString().slice(0, 23).replace('T', ' '), 'x'],
    shownUpTo: 0n,
  }
  for (const filter of filters) {
    for (const cursor of [undefined, deep]) {
      const { read, whole } = await rowsRead(callsPageStatement(tenantId, filter, cursor, 50))
      expect(whole, JSON.stringify(filter)).toBe(0)
      // 51 rows of each branch that Postgres cannot merge lazily, at the very most.
      expect(read, JSON.stringify({ filter, deep: cursor !== undefined })).toBeLessThan(600)
    }
  }
})

test('a page in another order, and of what no index has, reads what it may look at, first or deep', async () => {
  const deepTime = new Date(Date.now() - 45_000_000).toISOString().slice(0, 23).replace('T', ' ')
  for (const order of CALLS_ORDERS) {
    const deep = { place: [order.endsWith('talkMs') ? '30000' : deepTime, 'x'], shownUpTo: 0n }
    for (const cursor of [undefined, deep]) {
      const plain = await rowsRead(callsPageStatement(tenantId, {}, cursor, 50, order))
      expect(plain.whole, order).toBe(0)
      expect(plain.read, order).toBeLessThan(300)
      for (const filter of [
        { answered: false },
        { talkMinMs: 3_000_000_000, fromNumber: '+1' },
        { durationMaxMs: 1 },
        { stale: true },
      ]) {
        const { read, whole } = await rowsRead(callsPageStatement(tenantId, filter, cursor, 50, order))
        // Since when calls are stale, is asked once.
        expect(whole, JSON.stringify({ order, filter })).toBeLessThanOrEqual(1)
        expect(read, JSON.stringify({ order, filter })).toBeLessThan(5_100)
      }
    }
  }
})

test('a page of the feed reads so many changes and their calls, first or deep in a week of them', async () => {
  for (const from of [Date.now() - 3_600_000, { change: '300', entry: '3', shownBefore: '2026-01-01 00:00:00' }]) {
    const { read, whole } = await rowsRead(changesStatement(tenantId, {}, from, 200))
    expect(whole).toBeLessThanOrEqual(2)
    expect(read).toBeLessThan(2_300)
  }
})

test('a page by a label that no call has reads as many calls as it may, and one by a label that many have no more than it shows', async () => {
  const label = (value: string) => ({ labels: [{ name: 'campaign', value }] })
  const one = await rowsRead(callsPageStatement(tenantId, label('nobody'), undefined, 50))
  expect(one.whole).toBe(0)
  expect(one.read).toBeLessThan(5_100)
  const busy = await rowsRead(callsPageStatement(tenantId, { ...label('nobody'), fromNumber: '+1' }, undefined, 50))
  expect(busy.read).toBeLessThanOrEqual(18 * 1_000)
  expect(busy.whole).toBe(0)
  const none = { labels: [{ name: 'campaign', value: null }] }
  expect((await rowsRead(callsPageStatement(tenantId, none, undefined, 50))).read).toBeLessThan(600)
})

test('a breakdown reads the calls that an index finds, and one more than it may', async () => {
  const toMs = Date.now() + 60_000
  const range = { granularity: 'day', fromMs: toMs - 30 * 24 * 3_600_000, toMs } as const
  const read = async (query: object, callsMax = 1_000_000) => {
    const { read, whole } = await rowsRead(
      breakdownStatement(tenantId, parseBreakdown(query, range) as Breakdown, callsMax),
    )
    // Since when calls are stale, is asked once.
    expect(whole, JSON.stringify(query)).toBeLessThanOrEqual(1)
    return read
  }
  expect(await read({ groupBy: 'state' })).toBe(CALLS)
  expect(await read({ groupBy: 'state' }, 5_000)).toBe(5_001)
  expect(await read({ label: ['campaign:nobody'] }, 5_000)).toBe(5_001)
  // Of each of its branches, Postgres may look at one row more.
  const ofNumber = await read({ fromNumber: '+3' })
  expect(ofNumber).toBeGreaterThanOrEqual(CALLS / 3)
  expect(ofNumber).toBeLessThanOrEqual(CALLS / 3 + 18)
  expect(await read({ fromNumber: '+9', groupBy: 'to' })).toBeLessThanOrEqual(18)
  expect(await read({ state: 'FAILED' })).toBeLessThan(50)
})

test('30 days by the hour read the rows of 30 days, whatever else there is', async () => {
  const toMs = Math.floor(Date.now() / 3_600_000) * 3_600_000
  const { read } = await rowsRead(
    metricsStatement(tenantId, { granularity: 'hour', fromMs: toMs - 30 * 24 * 3_600_000, toMs }),
  )
  expect(read).toBeLessThan(900)
})
