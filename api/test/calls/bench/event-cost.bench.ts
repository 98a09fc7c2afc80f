/**
 * What an event costs Postgres with the newest schema and with that of an earlier migration, in turns on one server: CPU
 * of the backend that commits, CPU of the one that folds, and WAL, for each event.
 *
 *   node api/test/calls/bench/event-cost.bench.ts [--until 0022] [--events 8000] [--rounds 5]
 *
 * Calls have four events, and are written by the procedures that the API calls. Commits do not
 * wait for the disk: it is their CPU that is compared. Linux only.
 */

import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import pg from 'pg'
import { parseOptions, wholeNumber } from '../../../../platform/command-line/parse-options.ts'
import { startGuard } from '../../../../platform/stack/guard.ts'
import { postgresUrl, startPostgresPair } from '../../../../platform/stack/postgres-pair.ts'
import { makeTempDir } from '../../../../platform/stack/run-as.ts'
import { commitBatch, type ReceivedEvent } from '../../../src/calls/commit-batch.ts'
import { migrate, readMigrations } from '../../../src/postgres/migrate.ts'

const { values } = parseOptions(process.argv.slice(2), {
  until: { type: 'string', default: '0022' },
  events: { type: 'string', default: '8000' },
  rounds: { type: 'string', default: '5' },
})
const events = wholeNumber('--events', values.events, 100, 10_000_000)
const rounds = wholeNumber('--rounds', values.rounds, 1, 100)
const BATCHES = [1, 8, 100]
const STATES = ['INITIATED', 'RINGING', 'ANSWERED', 'COMPLETED'] as const

type Side = { readonly name: string; readonly writer: pg.Pool; readonly folder: pg.Client; readonly tenantId: string }
type Cost = { readonly commitUs: number; readonly foldUs: number; readonly walBytes: number }

const dir = makeTempDir('hopwhistle-event-cost-')
const guard = startGuard()
guard.remove(dir)
const pair = await startPostgresPair({ dir, guard, settings: { shared_buffers: '256MB', fsync: 'off' } })
const urlOf = (database: string) => postgresUrl(pair.primary.port, database, 'postgres', pair.superuserPassword)

async function side(name: string, until: string | undefined): Promise<Side> {
  const root = new pg.Client(urlOf('postgres'))
  await root.connect()
  await root.query(`create database ${name}`)
  await root.end()
  const folder = new pg.Client(urlOf(name))
  await folder.connect()
  const migrations = (await readMigrations()).filter((one) => until === undefined || one.name.slice(0, 4) <= until)
  await migrate(folder, migrations)
  const tenantId = randomUUID()
  await folder.query('insert into hopwhistle.tenants (id, name) values ($1, $2)', [tenantId, name])
  // With row-level security, as the API.
  const options = '-c role=hopwhistle_api'
  const writer = new pg.Pool({ connectionString: urlOf(name), max: 1, idleTimeoutMillis: 0, options })
  return { name, writer, folder, tenantId }
}

const pidOf = async (db: Pick<pg.Client, 'query'>): Promise<number> =>
  (await db.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid
const cpuUs = (pid: number) => Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1000
const walBytes = async (db: pg.Client) =>
  Number((await db.query<{ bytes: string }>(`select pg_current_wal_insert_lsn() - '0/0' as bytes`)).rows[0]!.bytes)

let receivedAtUs = Date.now() * 1000
/** Calls whose events come one after the other, as many calls at a time as fit. */
function batches(tenantId: string, size: number): ReceivedEvent[][] {
  const calls = Math.max(1, size)
  const all: ReceivedEvent[] = []
  for (let made = 0; made < events; made += calls * STATES.length) {
    const ids = Array.from({ length: calls }, () => randomUUID())
    for (const [i, state] of STATES.entries()) {
      for (const [n, callId] of ids.entries()) {
        all.push({
          tenantId,
          receivedAtUs: receivedAtUs++,
          event: {
            eventId: randomUUID(),
            callId,
            state,
            occurredAt: Date.now() + i * 1000,
            direction: 'inbound',
            from: `+1415555${n % 10_000}`,
            to: '+14155550100',
            corrects: undefined,
            metadata: undefined,
          },
        })
      }
    }
  }
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}

async function measure({ writer, folder, tenantId }: Side, size: number): Promise<Cost> {
  const work = batches(tenantId, size)
  const [writerPid, folderPid] = [await pidOf(writer as unknown as pg.Client), await pidOf(folder)]
  await folder.query('checkpoint')
  const wal = await walBytes(folder)
  const [commit, fold] = [cpuUs(writerPid), cpuUs(folderPid)]
  let published: { batchId: string; tenantId: string }[] = []
  let unfolded = 0
  let count = 0
  for (const batch of work) {
    const { batchIds } = await commitBatch(writer, batch, published, false)
    published = [...batchIds].map(([of, batchId]) => ({ batchId, tenantId: of }))
    count += batch.length
    // A second's worth at 500 events a second.
    unfolded += batch.length
    if (unfolded < 500) continue
    await folder.query(`select * from hopwhistle.fold_call_metrics($1, $2, 1000, 1000)`, [[tenantId], ['-infinity']])
    unfolded = 0
  }
  return {
    commitUs: (cpuUs(writerPid) - commit) / count,
    foldUs: (cpuUs(folderPid) - fold) / count,
    walBytes: ((await walBytes(folder)) - wal) / count,
  }
}

const median = (of: readonly number[]) => of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] as number
try {
  const sides = [await side('before', values.until), await side('newest', undefined)]
  for (const size of BATCHES) {
    for (const one of sides) await measure(one, size)
    const costs = new Map<Side, Cost[]>(sides.map((one) => [one, []]))
    for (let round = 0; round < rounds; round++) {
      for (const one of round % 2 === 0 ? sides : sides.toReversed()) costs.get(one)?.push(await measure(one, size))
    }
    for (const part of ['commitUs', 'foldUs', 'walBytes'] as const) {
      const [before, newest] = sides.map((one) => costs.get(one)!.map((cost) => cost[part])) as [number[], number[]]
      const ratios = before.map((cost, i) => (newest[i] as number) / cost)
      console.log(
        `batches of ${String(size).padStart(3)}  ${part.padEnd(8)}  before ${median(before).toFixed(1)}  newest ${median(newest).toFixed(1)}  ` +
          `ratio ${median(ratios).toFixed(3)} (${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)})`,
      )
    }
  }
  for (const { writer, folder } of sides) await Promise.all([writer.end(), folder.end()])
} finally {
  await pair.stop()
  guard.off()
  rmSync(dir, { recursive: true, force: true })
}
