/**
 * What the normal form of numbers costs events that have it already: CPU microseconds of the Postgres backend for each event, with
 * it and without, in turns.
 *
 *   node platform/with-fresh-postgres.ts node api/test/calls/bench/normal-number.bench.ts [--rounds=8] [--events=20000] [--sizes=1,100]
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { commitBatch } from '../../../src/calls/commit-batch.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '8' },
    events: { type: 'string', default: '20000' },
    sizes: { type: 'string', default: '1,100' },
  },
})
const connectionString = process.env.MIGRATION_DATABASE_URL
const owner = new pg.Client({ connectionString })
await owner.connect()
const api = new pg.Pool({ connectionString, max: 1, options: '-c role=hopwhistle_api' })
const tenantId = randomUUID()
await owner.query('insert into hopwhistle.tenants (id, name) values ($1, $2)', [tenantId, 'of a measurement'])

const { rows } = await owner.query<{ text: string }>(
  `select pg_get_functiondef(oid) as text from pg_proc
   where pronamespace = 'hopwhistle'::regnamespace and position('insert into hopwhistle.calls as c' in prosrc) > 0`,
)
const ways = {
  with: rows.map(({ text }) => text),
  without: rows.map(({ text }) => text.replaceAll(/hopwhistle\.normal_number\((\w+)\)/g, '$1')),
}
const pid = Number((await api.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid)
/** What the backend has had of the CPU, in nanoseconds. */
const cpuNs = () => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0])

let received = Date.now() * 1000
function batchOf(size: number) {
  return Array.from({ length: size }, () => ({
    tenantId,
    receivedAtUs: ++received,
    event: {
      ...{ eventId: randomUUID(), callId: randomUUID(), state: 'RINGING' as const, occurredAt: Date.now() },
      ...{
        direction: 'inbound' as const,
        from: '+12025550100',
        to: '+13035550100',
        corrects: undefined,
        metadata: undefined,
      },
    },
  }))
}

const median = (figures: readonly number[]) => figures.toSorted((a, b) => a - b)[figures.length >> 1] as number
for (const size of values.sizes.split(',').map(Number)) {
  const figures = { with: [] as number[], without: [] as number[] }
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const way of round % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
      await owner.query('set role hopwhistle_owner')
      for (const text of ways[way]) await owner.query(text)
      await owner.query(
        'reset role; truncate hopwhistle.call_metrics_pending, hopwhistle.outbox, hopwhistle.calls, hopwhistle.call_events; checkpoint',
      )
      const events = size === 1 ? Number(values.events) / 5 : Number(values.events)
      const before = cpuNs()
      for (let sent = 0; sent < events; sent += size) await commitBatch(api, batchOf(size), [], false)
      // The first round is for caches.
      if (round > 0) figures[way].push((cpuNs() - before) / 1000 / events)
    }
  }
  const ratios = figures.with.map((one, i) => one / (figures.without[i] as number))
  console.log(
    `${String(size).padStart(3)} in a batch: ${median(figures.with).toFixed(1)} µs with, ${median(figures.without).toFixed(1)} without; ratio ${median(ratios).toFixed(3)} (${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)})`,
  )
}
await api.end()
await owner.end()
