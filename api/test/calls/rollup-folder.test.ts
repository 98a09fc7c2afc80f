import type { Pool } from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import type { FoldDependencies } from '../../src/calls/rollup-folder.ts'
import { foldPass, startRollupFolder } from '../../src/calls/rollup-folder.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import type { CallStore } from './call-store.ts'
import { callEvent, callStore } from './call-store.ts'

vi.setConfig({ testTimeout: 60_000 })
let store: CallStore
beforeEach(async () => {
  store = await callStore()
})
afterEach(() => store.close())

const folder = (given: Partial<FoldDependencies> = {}) => ({
  upkeep: store.pool(),
  metrics: createMetrics(),
  log: createLog({ level: process.env.TEST_LOG_LEVEL ?? 'silent', instanceId: 'test' }),
  ...given,
})

/** As many pending rows, of `hours` hours of each of these tenants; each counts a call that rang and was answered. */
async function leavePending(tenants: readonly string[], rows: number, hours: number): Promise<void> {
  await store.query(
    `insert into hopwhistle.call_metrics_pending
     select ($1::uuid[])[1 + n % cardinality($1::uuid[])],
       date_trunc('hour', now(), 'UTC') - (n / cardinality($1::uuid[]) % $3) * interval '1 hour',
       1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 20000, 60000,
       array[400 + n % 200]::smallint[], array[500 + n % 200]::smallint[]
     from generate_series(0, $2::integer - 1) as n`,
    [tenants, rows, hours],
  )
}

const pendingOf = async (tenantId: string): Promise<number> => {
  const [row] = await store.query<{ rows: number }>(
    'select count(*)::int as rows from hopwhistle.call_metrics_pending where tenant_id = $1',
    [tenantId],
  )
  return row?.rows ?? Number.NaN
}

const folded = async (tenantId: string, table: 'hourly' | 'daily') => {
  const [row] = await store.query<{ calls: number; talked: number }>(
    `select coalesce(sum(calls), 0)::int as calls,
       coalesce(sum((select sum(n) from unnest(talk_counts) as n)), 0)::int as talked
     from hopwhistle.call_metrics_${table} where tenant_id = $1`,
    [tenantId],
  )
  return row
}

const sumOf = async (metric: { get(): Promise<{ values: { value: number }[] }> }) =>
  (await metric.get()).values.reduce((sum, { value }) => sum + value, 0)

/** A pool that tells after each step how many rows it took. */
const watching = (pool: Pool, onStep: (rows: number) => Promise<void>) =>
  ({
    query: async (text: string, values?: unknown[]) => {
      const answer = await pool.query(text, values)
      if (text.includes('fold_call_metrics')) await onStep(answer.rows.reduce((sum, row) => sum + row.folded, 0))
      return answer
    },
  }) as unknown as Pool

test('a backlog ten times as long takes about as long a row', async () => {
  const tenants = await Promise.all(Array.from({ length: 10 }, store.newTenant))
  const deps = folder()
  // In Postgres only: after each step but the last the folder rests for as long as it took.
  let ms = 0
  const query = async (text: string, values?: unknown[]) => {
    const startedAt = performance.now()
    const answer = await deps.upkeep.query(text, values)
    ms += performance.now() - startedAt
    return answer
  }
  const timed = { ...deps, upkeep: { query } as unknown as Pool }
  const msPerRow = async (rows: number): Promise<number> => {
    // Each row is of another hour: what costs most.
    await leavePending(tenants, rows, rows / tenants.length)
    ms = 0
    expect(await foldPass(timed)).toMatchObject({ rows, complete: true })
    return ms / rows
  }
  await msPerRow(600)
  const turns = [await msPerRow(600), await msPerRow(6_000), await msPerRow(600), await msPerRow(6_000)]
  const [few, many] = [Math.max(turns[0]!, turns[2]!), Math.min(turns[1]!, turns[3]!)]
  expect(many, `${turns} ms a row`).toBeLessThan(2 * few)
}, 120_000)

test('a step has a bound, and what it folded stays folded when the next one fails', async () => {
  const tenantId = await store.newTenant()
  await leavePending([tenantId], 2_500, 100)
  const steps: number[] = []
  const deps = folder({
    upkeep: watching(store.pool(), async (rows) => {
      steps.push(rows)
      if (steps.length === 2) throw new Error('the connection is lost')
    }),
  })
  await expect(foldPass(deps)).rejects.toThrow('the connection is lost')
  expect(steps).toEqual([1_000, 1_000])
  expect(await pendingOf(tenantId)).toBe(500)
  expect(await folded(tenantId, 'hourly')).toEqual({ calls: 2_000, talked: 2_000 })
})

test('the longest backlog delays no other tenant, and in the end every change is counted once', async () => {
  const [busy, ...others] = await Promise.all(Array.from({ length: 4 }, store.newTenant))
  await leavePending([busy!], 5_000, 50)
  await leavePending(others, 30, 5)
  const left: number[][] = []
  const deps = folder({
    upkeep: watching(store.pool(), async () => {
      left.push(await Promise.all([busy!, ...others].map(pendingOf)))
    }),
  })
  await foldPass(deps)
  // Together they have room in one step, wherever their ids are.
  expect(left[0]?.slice(1)).toEqual([0, 0, 0])
  expect(left[0]?.[0]).toBeGreaterThan(4_000)
  expect(left.at(-1)).toEqual([0, 0, 0, 0])
  for (const table of ['hourly', 'daily'] as const) {
    expect(await folded(busy!, table)).toEqual({ calls: 5_000, talked: 5_000 })
    for (const tenant of others) expect(await folded(tenant, table)).toEqual({ calls: 10, talked: 10 })
  }
})

test('a tenant whose rows cannot be folded keeps none of the others, and is counted as a failure', async () => {
  const [broken, ...others] = await Promise.all(Array.from({ length: 3 }, store.newTenant))
  await leavePending([broken!, ...others], 30, 2)
  // One more entry in this bucket is more than its count can hold.
  await store.query(
    `insert into hopwhistle.call_metrics_hourly
     select tenant_id, hour, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0,
       array[ring_entries[1]], array[2147483647], array[]::smallint[], array[]::bigint[]
     from hopwhistle.call_metrics_pending where tenant_id = $1 limit 1`,
    [broken],
  )
  const deps = folder()
  expect(await foldPass(deps)).toMatchObject({ rows: 20, complete: false })
  expect(await Promise.all([broken!, ...others].map(pendingOf))).toEqual([10, 0, 0])
  expect(await sumOf(deps.metrics.upkeepFailed)).toBe(1)
  expect(await sumOf(deps.metrics.rollupsPending)).toBe(10)
  expect(await sumOf(deps.metrics.rollupsFoldedUntil), 'something is still pending').toBe(0)
})

test('one instance at a time makes a pass, and when it dies another one goes on', async () => {
  const tenantId = await store.newTenant()
  await leavePending([tenantId], 1_500, 10)
  const [first, second] = [folder(), folder()]
  const dying = new AbortController()
  const died = foldPass(
    folder({
      upkeep: watching(store.pool(), async () => {
        expect(await foldPass(second)).toEqual({ rows: 0, steps: 0, complete: false })
        expect(await sumOf(second.metrics.rollupsPending)).toBe(500)
        dying.abort()
        throw new Error('killed')
      }),
    }),
    dying.signal,
  )
  await expect(died).rejects.toThrow('killed')
  expect(await foldPass(first), 'it may still be at it').toMatchObject({ rows: 0 })
  await store.query(`update hopwhistle.rollup_folding set leased_until = leased_until - interval '1 minute'`)
  expect(await foldPass(first)).toMatchObject({ rows: 500, complete: true })
})

test('every instance exports how much is pending and since when, whichever instance folds', async () => {
  const now = () => Date.now() / 1000
  const tenantId = await store.newTenant()
  const [one, other] = [folder(), folder()]
  await foldPass(one)
  expect(await sumOf(one.metrics.rollupsFoldedUntil)).toBeGreaterThan(now() - 60)

  await leavePending([tenantId], 700, 10)
  await store.query(
    `update hopwhistle.rollup_folding set leased_until = now() + interval '1 minute', pending = 700, folded_until = now() - interval '9 minutes'`,
  )
  await foldPass(other)
  expect(await sumOf(other.metrics.rollupsPending)).toBe(700)
  expect(await sumOf(other.metrics.rollupsFoldedUntil)).toBeCloseTo(now() - 540, -2)

  await store.query(`update hopwhistle.rollup_folding set leased_until = '-infinity'`)
  await foldPass(one)
  await foldPass(other)
  for (const { metrics } of [one, other]) {
    expect(await sumOf(metrics.rollupsPending)).toBe(0)
    expect(await sumOf(metrics.rollupsFoldedUntil)).toBeGreaterThan(now() - 60)
  }
  expect(await sumOf(one.metrics.rollupsFolded)).toBe(700)
})

/** A million takes two minutes: FOLD_BACKLOG_ROWS=1000000. */
const BACKLOG_ROWS = Number(process.env.FOLD_BACKLOG_ROWS ?? 30_000)

test('a long backlog is folded while events are taken', async () => {
  const tenants = await Promise.all(Array.from({ length: 30 }, store.newTenant))
  await leavePending(tenants, BACKLOG_ROWS, 100)
  const serving = await store.newTenant()
  const ingest = store.ingest()
  const running = startRollupFolder(folder())
  let sent = 0
  await waitUntil(
    'the backlog to be folded',
    async () => {
      await ingest.submit(serving, callEvent('INITIATED'))
      sent += 1
      return (
        (await store.query('select from hopwhistle.call_metrics_pending where tenant_id <> $1 limit 1', [serving]))
          .length === 0
      )
    },
    { timeoutMs: 600_000, everyMs: 20 },
  )
  const allFolded = async () => (await pendingOf(serving)) === 0
  await waitUntil('what came meanwhile to be folded', allFolded, { timeoutMs: 60_000, everyMs: 50 })
  await running.stop()
  const sums = await Promise.all(tenants.map((tenant) => folded(tenant, 'daily')))
  expect(sums.reduce((sum, row) => sum + (row?.calls ?? 0), 0)).toBe(BACKLOG_ROWS)
  expect(await folded(serving, 'hourly')).toMatchObject({ calls: sent })
}, 900_000)
