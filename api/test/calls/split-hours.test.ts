import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { emptyDatabase } from '../../../platform/test-support/fresh-database.ts'
import { migrate, readMigrations } from '../../src/postgres/migrate.ts'
import { type CallStore, callEvent, callStore, type TestIngest } from './call-store.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

const HOUR = 3_600_000
const QUARTERS = '0021_rollups_by_the_quarter'
const DEADLINE = { timeoutMs: 30_000, everyMs: 1 }
let store: CallStore
let ingest: TestIngest
let migrateTheRest: () => Promise<void>
beforeEach(async () => {
  const database = await emptyDatabase()
  const migrations = await readMigrations()
  const owner = await connectPostgres(database.ownerUrl)
  await migrate(
    owner,
    migrations.filter(({ name }) => name < QUARTERS),
  )
  migrateTheRest = async () => {
    await migrate(owner, migrations)
    await owner.end()
  }
  store = await callStore(database)
  ingest = store.ingest()
})
afterEach(() => store.close())

/** Calls that rang and were answered, some of every quarter of the hours before this one. */
async function send(tenantId: string, name: string, hours: number, state: 'INITIATED' | 'COMPLETED' = 'COMPLETED') {
  const start = Math.floor(Date.now() / HOUR) * HOUR - hours * HOUR
  const calls = Array.from({ length: 12 * hours }, (_, n) => ({ callId: `${name} ${n}`, at: start + n * 5 * 60_000 }))
  for (const { callId, at } of calls) {
    const events = [
      callEvent('INITIATED', { callId, occurredAt: at }),
      callEvent('ANSWERED', { callId, occurredAt: at + 4_000 }),
      callEvent(state, { callId, occurredAt: at + 60_000 }),
    ]
    await Promise.all(events.map((event) => ingest.submit(tenantId, event)))
  }
}

const folded = () =>
  waitUntil(
    'everything to be folded',
    async () => {
      await store.query('select hopwhistle.fold_call_metrics()')
      return (await store.query('select from hopwhistle.call_metrics_pending')).length === 0
    },
    DEADLINE,
  )

/** What was pending by the hour is folded for longer than it has to be. */
const longAfter = () =>
  store
    .query(`update hopwhistle.quarters_since set written_since = now() - interval '2 minutes';`)
    .then(() => store.query(`update hopwhistle.rollup_folding set folded_until = now()`))

const split = () =>
  waitUntil(
    'all hours to be split',
    async () =>
      (await store.query<{ finished: boolean }>('select finished from hopwhistle.split_hour()'))[0]?.finished === true,
    DEADLINE,
  )

/** Folded quarters, and what they must be by the calls. */
async function quarters(tenantId: string) {
  const columns = 'calls, completed, connected, ring_count, talk_count, ring_total_ms::int, talk_total_ms::int'
  const kept = await store.query(
    `select quarter, ${columns}, talk_histogram from hopwhistle.call_metrics_quarterly
     where tenant_id = $1 and calls <> 0 order by quarter`,
    [tenantId],
  )
  const exact = await store.query(
    `select date_bin('15 minutes', started_at, '2000-01-01Z') as quarter, count(*)::int as calls,
       count(*) filter (where state = 3)::int as completed, count(answered_at)::int as connected,
       count(answered_at)::int as ring_count, count(answered_at) filter (where ended_at is not null)::int as talk_count,
       coalesce(sum(hopwhistle.elapsed_ms(initiated_at, answered_at)), 0)::int as ring_total_ms,
       coalesce(sum(hopwhistle.elapsed_ms(answered_at, ended_at)), 0)::int as talk_total_ms,
       hopwhistle.fold_quarter_histogram(null, array_agg(hopwhistle.duration_bucket(hopwhistle.elapsed_ms(answered_at, ended_at)))
         filter (where ended_at is not null)) as talk_histogram
     from hopwhistle.calls where tenant_id = $1 group by 1 order by 1`,
    [tenantId],
  )
  return { kept, exact }
}

test('hours that were counted before there were quarters get them from the calls, exactly, while events come', async () => {
  const tenants = [await store.newTenant(), await store.newTenant()] as const
  for (const tenant of tenants) await send(tenant, 'before', 6)
  await folded()
  await send(tenants[0], 'pending by the hour', 3)
  await migrateTheRest()
  const later = await store.newTenant()
  await send(later, 'new', 3)
  await send(tenants[0], 'pending by the quarter', 4)
  await folded()
  await longAfter()
  // Pending while hours are split, in the same calls and in others.
  const coming = Promise.all([send(tenants[0], 'before', 6), send(tenants[1], 'more', 6, 'INITIATED')])
  await split()
  await coming
  await folded()
  for (const tenant of [...tenants, later]) {
    const { kept, exact } = await quarters(tenant)
    expect(kept).toEqual(exact)
    expect(kept.length).toBeGreaterThan(10)
  }
  expect(await store.query('select from hopwhistle.quarters_since where not complete')).toEqual([])
})

test('an hour of which calls are gone stays as it is, and so do the earlier ones; they are reported by the hour', async () => {
  const tenant = await store.newTenant()
  await send(tenant, 'before', 6)
  await folded()
  await migrateTheRest()
  const start = Math.floor(Date.now() / HOUR) * HOUR - 6 * HOUR
  await store.query('delete from hopwhistle.calls where started_at < $1', [new Date(start + 3.5 * HOUR)])
  await folded()
  await longAfter()
  await split()
  const [row] = await store.query<{ since: Date; complete: boolean }>(
    'select since, complete from hopwhistle.quarters_since',
  )
  expect(row).toMatchObject({ since: new Date(start + 4 * HOUR), complete: true })
  const { kept } = await quarters(tenant)
  expect(kept[0]).toMatchObject({ quarter: new Date(start + 4 * HOUR) })
  // What comes late for such an hour is counted by the hour as well.
  await ingest.submit(tenant, callEvent('INITIATED', { occurredAt: start + HOUR }))
  await folded()
  expect((await quarters(tenant)).kept).toEqual(kept)
})

test('nothing is split while something may be pending by the hour', async () => {
  const tenant = await store.newTenant()
  await send(tenant, 'before', 2)
  await migrateTheRest()
  await folded()
  await store.query(`update hopwhistle.rollup_folding set folded_until = now()`)
  expect(await store.query('select * from hopwhistle.split_hour()')).toEqual([
    { tenant_id: null, hour: null, finished: false },
  ])
})
