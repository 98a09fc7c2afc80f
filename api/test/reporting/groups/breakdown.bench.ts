/**
 * What reports with filters and groups take, in milliseconds on Postgres, by how many calls the range has; and what an event
 * takes with labels and without, in microseconds of CPU of the primary.
 *
 *   node platform/with-fresh-postgres.ts node api/test/reporting/groups/breakdown.bench.ts [--calls=10000,100000,1000000] [--runs=5] [--events=20000]
 *
 * The calls are of 30 days; one label has 8 kinds, and one a value of its own for each call.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { commitBatch } from '../../../src/calls/commit-batch.ts'
import { migrate, readMigrations } from '../../../src/postgres/migrate.ts'
import { parseBreakdown } from '../../../src/reporting/groups/breakdown.ts'
import { breakdownStatement } from '../../../src/reporting/groups/breakdown-statement.ts'

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000,100000,1000000' },
    runs: { type: 'string', default: '5' },
    events: { type: 'string', default: '20000' },
  },
})
const DAY_MS = 86_400_000
const connectionString = process.env.MIGRATION_DATABASE_URL
const asApi = { connectionString, options: '-c role=hopwhistle_api -c jit=off -c work_mem=8MB' }
const owner = new pg.Client({ connectionString })
await owner.connect()
await migrate(owner, await readMigrations())
const api = new pg.Client(asApi)
await api.connect()
const median = (of: readonly number[]) => of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] as number

const QUESTIONS: Readonly<Record<string, object>> = {
  'all, by the day': { direction: 'inbound' },
  'group by direction': { groupBy: 'direction' },
  'group by a label of 8 kinds': { groupBy: 'label:campaign' },
  'group by a label, every call another': { groupBy: 'label:click' },
  'group by caller': { groupBy: 'from' },
  'a filter by label': { label: ['campaign:3'] },
  'one number': { fromNumber: '+7' },
  callers: { include: 'callers' },
}

await reports()
await ingest()
await owner.end()
await api.end()
process.exit(0)

async function reports(): Promise<void> {
  for (const calls of values.calls.split(',').map(Number)) {
    const tenantId = randomUUID()
    await owner.query('insert into hopwhistle.tenants (id, name) values ($1, $2)', [tenantId, 'measured'])
    const toMs = Math.floor(Date.now() / DAY_MS) * DAY_MS
    await owner.query(
      `insert into hopwhistle.calls (tenant_id, call_id, state, direction, from_number, to_number, started_at, initiated_at,
         answered_at, ended_at, updated_at, labels)
       select $1, 'call-' || i, 3 + i % 5, i % 2, '+' || hashint4(i)::bigint % ($2 / 4), '+2', at, at,
         case when i % 3 > 0 then at + (i % 20000) * interval '1 millisecond' end,
         case when i % 3 > 0 then at + (20000 + i % 300000) * interval '1 millisecond' end, now(),
         jsonb_build_object('campaign', (i % 8)::text, 'click', md5(i::text))
       from generate_series(1, $2::int) i,
         lateral (select $3::timestamptz - i * (interval '30 days' / $2) as at) t`,
      [tenantId, calls, new Date(toMs).toISOString()],
    )
    await owner.query('vacuum analyze hopwhistle.calls')
    console.log(`${calls} calls`)
    const range = { granularity: 'day' as const, fromMs: toMs - 30 * DAY_MS, toMs }
    for (const [name, query] of Object.entries(QUESTIONS)) {
      const breakdown = parseBreakdown(query, range)
      if (breakdown === undefined) throw new Error(`${name} is answered by rollups`)
      const { text, values: given } = breakdownStatement(tenantId, breakdown, 1_000_000)
      const took: number[] = []
      for (let run = 0; run < Number(values.runs); run++) {
        const startedAt = performance.now()
        const { rows } = await api.query(text, [...given])
        took.push(performance.now() - startedAt)
        if (rows.some(({ kind }) => kind === 'over')) throw new Error(`${name} reads more than it may`)
      }
      console.log(`  ${name.padEnd(40)} ${median(took).toFixed(0).padStart(7)} ms`)
    }
  }
}

/** CPU of the backend that writes, in turns. */
async function ingest(): Promise<void> {
  const pool = new pg.Pool({ ...asApi, max: 1 })
  const tenantId = randomUUID()
  await owner.query('insert into hopwhistle.tenants (id, name) values ($1, $2)', [tenantId, 'measured'])
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid')
  const cpuMs = () => {
    const fields = readFileSync(`/proc/${rows[0]?.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * 10
  }
  let clock = Date.now() * 1000
  const write = async (batchSize: number, labelled: boolean, events: number) => {
    const before = cpuMs()
    for (let done = 0; done < events; done += batchSize) {
      const batch = Array.from({ length: batchSize }, () => ({
        tenantId,
        receivedAtUs: ++clock,
        event: {
          eventId: randomUUID(),
          callId: randomUUID(),
          state: 'INITIATED' as const,
          occurredAt: Date.now(),
          direction: 'inbound' as const,
          from: '+4930123456',
          to: '+4930654321',
          corrects: undefined,
          metadata: undefined,
          ...(labelled ? { labels: { campaign: 'spring', source: 'search', agent: 'a-1' } } : {}),
        },
      }))
      await commitBatch(pool, batch, [], false)
    }
    return ((cpuMs() - before) * 1000) / events
  }
  for (const batchSize of [1, 10, 100]) {
    const events = Math.min(Number(values.events), batchSize * 2_000)
    const took: Record<'without' | 'with', number[]> = { without: [], with: [] }
    for (let round = 0; round < 6; round++) {
      for (const labelled of round % 2 === 0 ? [false, true] : [true, false]) {
        const us = await write(batchSize, labelled, events)
        // The first round warms up.
        if (round > 0) took[labelled ? 'with' : 'without'].push(us)
      }
    }
    const [without, withLabels] = [median(took.without), median(took.with)]
    console.log(
      `batches of ${batchSize}: ${without.toFixed(0)} µs an event without labels, ${withLabels.toFixed(0)} µs with three`,
    )
  }
  await pool.end()
}
