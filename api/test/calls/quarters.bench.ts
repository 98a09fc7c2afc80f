/** What rollups by the quarter of an hour add to a commit and to a fold. `--help` says how to run it. */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import pg from 'pg'
import { parseOptions, wholeNumber } from '../../../platform/command-line/parse-options.ts'
import { startGuard } from '../../../platform/stack/guard.ts'
import { postgresUrl, startPostgresPair } from '../../../platform/stack/postgres-pair.ts'
import { makeTempDir } from '../../../platform/stack/run-as.ts'
import type { CallEvent } from '../../src/calls/call-event.ts'
import { commitBatch } from '../../src/calls/commit-batch.ts'
import { foldPass } from '../../src/calls/rollup-folder.ts'
import { migrate, readMigrations } from '../../src/postgres/migrate.ts'
import { setRolePassword } from '../../src/postgres/set-role-password.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { callEvent } from './call-store.ts'

const HELP = `Usage: node api/test/calls/quarters.bench.ts [--turns 5] [--calls 2000]

Commits the events of so many calls of 40 minutes, 50 at a time, and folds after every tenth batch; in turns in a database
before migration 0021, which began to keep quarters, and in one of this version. Prints medians of the turns with their range.
`
const BEFORE = '0021_rollups_by_the_quarter'
const BATCH = 50
const BATCHES_A_FOLD = 10

const { values } = parseOptions(process.argv.slice(2), {
  turns: { type: 'string', default: '5' },
  calls: { type: 'string', default: '2000' },
  help: { type: 'boolean', default: false },
})
if (values.help) process.stdout.write(HELP)
else await run(wholeNumber('--turns', values.turns, 1, 100), wholeNumber('--calls', values.calls, 50, 100_000))

type Side = { readonly name: string; readonly owner: pg.Pool; readonly api: pg.Pool; readonly turns: Turn[] }
type Turn = { readonly msABatch: number; readonly msAFold: number; readonly rowsAFold: number }

async function run(turns: number, calls: number): Promise<void> {
  const guard = startGuard()
  const dir = makeTempDir('hopwhistle-quarters-')
  guard.remove(dir)
  mkdirSync(`${dir}/pair`, { mode: 0o711 })
  const pair = await startPostgresPair({ dir: `${dir}/pair`, guard })
  const password = randomBytes(18).toString('base64url')
  const sides: Side[] = []
  try {
    const migrations = await readMigrations()
    for (const name of ['before', 'now']) {
      const url = (role: string, secret: string) => postgresUrl(pair.primary.port, name, role, secret)
      const admin = new pg.Client({
        connectionString: postgresUrl(pair.primary.port, 'postgres', 'postgres', pair.superuserPassword),
      })
      await admin.connect()
      await admin.query(`create database ${name}`).finally(() => admin.end())
      const client = new pg.Client({ connectionString: url('postgres', pair.superuserPassword) })
      await client.connect()
      await migrate(client, name === 'now' ? migrations : migrations.filter((one) => one.name < BEFORE))
      await setRolePassword(client, 'hopwhistle_api', password)
      await client.end()
      sides.push({
        name,
        owner: new pg.Pool({ connectionString: url('postgres', pair.superuserPassword), max: 1 }),
        api: new pg.Pool({ connectionString: url('hopwhistle_api', password), max: 1 }),
        turns: [],
      })
    }
    for (let turn = 0; turn <= turns; turn++) {
      for (const side of turn % 2 === 0 ? sides : sides.toReversed()) {
        const measured = await measure(side, calls)
        // The first is the warm-up.
        if (turn > 0) side.turns.push(measured)
      }
    }
    process.stdout.write(render(sides))
  } finally {
    await Promise.allSettled(sides.flatMap(({ owner, api }) => [owner.end(), api.end()]))
    await pair.stop()
    rmSync(dir, { recursive: true, force: true })
    guard.off()
  }
}

async function measure({ owner, api }: Side, calls: number): Promise<Turn> {
  const tenantId = randomUUID()
  await owner.query('insert into hopwhistle.tenants (id, name) values ($1, $2)', [tenantId, 'of a bench'])
  const deps = { upkeep: api, metrics: createMetrics(), log: createLog({ level: 'silent', instanceId: 'bench' }) }
  const batches: number[] = []
  const folds: number[] = []
  let rows = 0
  const events = eventsOf(calls)
  for (let at = 0; at < events.length; at += BATCH) {
    const receivedAtUs = Date.now() * 1000
    const batch = events
      .slice(at, at + BATCH)
      .map((event, i) => ({ tenantId, event, receivedAtUs: receivedAtUs + at + i }))
    batches.push(await timed(() => commitBatch(api, batch, [], false)))
    if (batches.length % BATCHES_A_FOLD !== 0) continue
    folds.push(
      await timed(async () => {
        rows += (await foldPass(deps)).rows
      }),
    )
  }
  return { msABatch: median(batches), msAFold: median(folds), rowsAFold: rows / folds.length }
}

/** In the order in which they occur: calls begin all the time, ring for 4 s and last up to five minutes. */
function eventsOf(calls: number): readonly CallEvent[] {
  const since = Date.now() - 3_600_000
  return Array.from({ length: calls }, (_, n) => {
    const callId = `call ${n}`
    const start = since + (n / calls) * 2_400_000
    const talked = 10_000 + ((n * 7_919) % 290_000)
    const direction = n % 2 === 0 ? ('inbound' as const) : ('outbound' as const)
    return [
      callEvent('INITIATED', { callId, direction, occurredAt: start }),
      callEvent('RINGING', { callId, occurredAt: start + 500 }),
      callEvent('ANSWERED', { callId, occurredAt: start + 4_000 + ((n * 31) % 5_000) }),
      callEvent('COMPLETED', { callId, occurredAt: start + 10_000 + talked }),
    ].map((event) => ({ ...event, occurredAt: Math.round(event.occurredAt) }))
  })
    .flat()
    .toSorted((a, b) => a.occurredAt - b.occurredAt)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

function render(sides: readonly Side[]): string {
  const line = (name: string, of: (turn: Turn) => number) =>
    `${name.padEnd(24)} ${sides.map((side) => `${side.name} ${spread(side.turns.map(of))}`).join('   ')}   ratio ${spread(
      sides[1]!.turns.map((turn, i) => of(turn) / of(sides[0]!.turns[i]!)),
    )}`
  return `${[
    line(`ms a batch of ${BATCH}`, (turn) => turn.msABatch),
    line(`ms a fold of ${BATCHES_A_FOLD}`, (turn) => turn.msAFold),
    line('pending rows a fold', (turn) => turn.rowsAFold),
  ].join('\n')}\n`
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

function spread(values: readonly number[]): string {
  return `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`
}
