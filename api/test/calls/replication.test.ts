import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { connectPostgres } from '../../../platform/test-support/connect-postgres.ts'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import { ownPostgres } from '../../../platform/test-support/own-postgres.ts'
import { createIngest } from '../../src/calls/ingest.ts'
import { createKeepAside } from '../../src/calls/keep-aside.ts'
import { sweepOutbox } from '../../src/calls/outbox-sweeper.ts'
import { foldPass } from '../../src/calls/rollup-folder.ts'
import { DatabaseUnavailable } from '../../src/errors/catalogue.ts'
import { keepBrowserToken } from '../../src/postgres/keys/browser-tokens.ts'
import { createKey } from '../../src/postgres/keys/create-key.ts'
import { noteKeyUse } from '../../src/postgres/keys/note-key-use.ts'
import { openPostgres } from '../../src/postgres/open-postgres.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import type { CallStore } from './call-store.ts'
import { callEvent, callStore } from './call-store.ts'

const KEYS_COMMAND = fileURLToPath(new URL('../../src/commands/keys.ts', import.meta.url))

let pair: Awaited<ReturnType<typeof ownPostgres>>
let store: CallStore
let owner: pg.Client
const closing: (() => Promise<void>)[] = []
beforeAll(async () => {
  pair = await ownPostgres()
  store = await callStore(await freshDatabase(pair))
  owner = await connectPostgres(store.database.ownerUrl)
  await setStandbys('*')
})
afterEach(() => {
  if (isStopped) signalReceiver('SIGCONT')
})
afterAll(async () => {
  for (const close of closing) await close()
  await store.close()
  await pair.stop()
})

async function setStandbys(names: string): Promise<void> {
  await owner.query(`alter system set synchronous_standby_names = '${names}'`)
  await owner.query('select pg_reload_conf()')
  await waitUntil(
    `synchronous_standby_names to be "${names}"`,
    async () => {
      const { rows } = await owner.query<{ synchronous_standby_names: string }>('show synchronous_standby_names')
      const streaming = await owner.query(`select from pg_stat_replication where sync_state = 'sync'`)
      return rows[0]?.synchronous_standby_names === names && streaming.rowCount === 1
    },
    { timeoutMs: 10_000 },
  )
}

let isStopped = false
/** The process that brings the replica its WAL. */
function signalReceiver(signal: 'SIGSTOP' | 'SIGCONT'): void {
  const receiver = readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const parent = /^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      return Number(parent) === pair.replicaPid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('walreceiver')
    } catch {
      return false
    }
  })
  if (receiver === undefined) throw new Error('the replica has no walreceiver')
  process.kill(Number(receiver), signal)
  isStopped = signal === 'SIGSTOP'
}

const log = createLog({ level: 'silent', instanceId: 'test' })
const metrics = createMetrics()

/** An instance's connections, whose commits wait for the replica so long. */
function postgresWaiting(postgresQueryTimeoutMs: number) {
  const { apiUrl } = store.database
  const settings = { databaseUrl: apiUrl, postgresPool: 10, postgresQueryTimeoutMs, instanceId: 'test' }
  const postgres = openPostgres(settings, log, metrics)
  closing.push(postgres.close)
  return postgres
}

function ingestWaiting(postgresQueryTimeoutMs: number) {
  const postgres = postgresWaiting(postgresQueryTimeoutMs)
  const ingest = createIngest({
    postgres,
    metrics,
    log,
    settings: {
      ingestQueue: 1_000,
      ingestBatchMax: 500,
      ingestBatchWaitMs: 8,
      ingestBatchesInFlight: 4,
      outboxSweepAfterMs: 60_000,
    },
    onCommitted: async () => {},
  })
  closing.unshift(ingest.drain)
  return ingest
}

test.skipIf(process.platform !== 'linux')(
  'what the synchronous replica has not got is never acknowledged, however often it is sent; once it has, it is a duplicate',
  async () => {
    const tenantId = await store.newTenant()
    const ingest = ingestWaiting(400)
    await ingest.submit(tenantId, callEvent('RINGING'))

    const alone = callEvent('RINGING')
    const together = Array.from({ length: 5 }, () => callEvent('ANSWERED'))
    signalReceiver('SIGSTOP')
    for (const events of [[alone], together, [alone], together]) {
      const answers = await Promise.allSettled(events.map((event) => ingest.submit(tenantId, event)))
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 'rejected', reason: expect.toSatisfy(DatabaseUnavailable.is) })
      }
    }
    // They were stored all the same: what is not replicated is visible on the primary.
    expect(await store.query('select from hopwhistle.call_events where tenant_id = $1', [tenantId])).toHaveLength(7)

    signalReceiver('SIGCONT')
    await waitUntil(
      'the repetition to be acknowledged',
      async () => {
        const answer = await ingest.submit(tenantId, alone).catch(() => undefined)
        if (answer !== undefined) expect(answer.outcome).toBe('duplicate')
        return answer !== undefined
      },
      { timeoutMs: 15_000 },
    )
    const answers = await Promise.all(together.map((event) => ingest.submit(tenantId, event)))
    expect(answers.map(({ outcome }) => outcome)).toEqual(together.map(() => 'duplicate'))
  },
  90_000,
)

test.skipIf(process.platform !== 'linux')(
  'a replica that comes back in time costs time only',
  async () => {
    const tenantId = await store.newTenant()
    const ingest = ingestWaiting(1_000)
    await ingest.submit(tenantId, callEvent('RINGING'))
    signalReceiver('SIGSTOP')
    const waiting = ingest.submit(tenantId, callEvent('RINGING'))
    await waitUntil(
      'the commit to stop waiting once',
      async () =>
        (await store.query('select from hopwhistle.call_events where tenant_id = $1', [tenantId])).length === 2,
      { timeoutMs: 10_000 },
    )
    signalReceiver('SIGCONT')
    expect(await waiting).toMatchObject({ outcome: 'applied' })
  },
  30_000,
)

/** Statements that wait for the replica now. */
const waitingSessions = async () =>
  (await owner.query(`select query from pg_stat_activity where wait_event = 'SyncRep'`)).rows

const isUnavailable = { status: 'rejected', reason: expect.toSatisfy(DatabaseUnavailable.is) }

test.skipIf(process.platform !== 'linux')(
  'nor is an event that is kept aside, the second time either, nor a token for a page',
  async () => {
    const tenantId = await store.newTenant()
    const keyId = await createKey(owner, { tenantId, name: 'one', scopes: ['live:read'], keyHash: randomBytes(32) })
    const postgres = postgresWaiting(1_000)
    const keepAside = createKeepAside(postgres.ingest)
    const keep = () => keepAside(tenantId, [JSON.stringify({ eventId: 'too old' })])
    const token = {
      keyId: keyId ?? '',
      scopes: ['live:read'],
      most: 10,
      endsAt: new Date(Date.now() + 60_000),
    } as const
    const makeToken = () => keepBrowserToken(postgres.upkeep, { ...token, tokenHash: randomBytes(32) })
    await keepAside(tenantId, [JSON.stringify({ eventId: 'older' })])
    expect(await makeToken()).toBe(true)

    signalReceiver('SIGSTOP')
    for (const answer of [keep, keep, makeToken])
      expect((await Promise.allSettled([answer()]))[0]).toMatchObject(isUnavailable)
    // Nothing waits on, nor keeps a connection.
    await expect.poll(waitingSessions, { timeout: 5_000 }).toEqual([])
    signalReceiver('SIGCONT')
    const kept = () =>
      keep().then(
        () => true,
        () => false,
      )
    await waitUntil('it to be kept', kept, { timeoutMs: 15_000 })
    expect(await makeToken()).toBe(true)
  },
  60_000,
)

test.skipIf(process.platform !== 'linux')(
  'upkeep goes on without the synchronous replica',
  async () => {
    const tenantId = await store.newTenant()
    const keyId = await createKey(owner, { tenantId, name: 'two', scopes: ['live:read'], keyHash: randomBytes(32) })
    const { upkeep } = postgresWaiting(1_000)
    const sweeping = { upkeep, publish: async () => {}, olderThanMs: 0, metrics, log }
    signalReceiver('SIGSTOP')
    // Stored, and nobody published it.
    await expect(ingestWaiting(400).submit(tenantId, callEvent('RINGING'))).rejects.toSatisfy(DatabaseUnavailable.is)
    await noteKeyUse(upkeep, [keyId ?? ''])
    expect((await foldPass({ upkeep, metrics, log })).complete).toBe(true)
    expect(await store.query('select from hopwhistle.call_metrics_pending')).toEqual([])
    expect((await sweepOutbox(sweeping)).published).toBeGreaterThan(0)
    expect(await waitingSessions()).toEqual([])
    signalReceiver('SIGCONT')
  },
  60_000,
)

test.skipIf(process.platform !== 'linux')(
  'a command whose wait for the replica is ended does not claim to have succeeded',
  async () => {
    const tenantId = await store.newTenant()
    signalReceiver('SIGSTOP')
    const ran = new Promise<{ code: number; err: string }>((resolve) => {
      const env = { PATH: process.env.PATH, MIGRATION_DATABASE_URL: store.database.ownerUrl }
      execFile(process.execPath, [KEYS_COMMAND, 'create', '--tenant', tenantId], { env }, (error, _out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), err }),
      )
    })
    const cancel = `select pg_cancel_backend(pid) from pg_stat_activity
      where wait_event = 'SyncRep' and application_name = 'hopwhistle keys'`
    await waitUntil('the command to wait', async () => (await owner.query(cancel)).rowCount === 1, {
      timeoutMs: 20_000,
    })
    const { code, err } = await ran
    signalReceiver('SIGCONT')
    expect(err).toMatch(/^keys: this is on the primary, but perhaps not on its synchronous replica/m)
    expect(code).toBe(1)
  },
  60_000,
)

// The last test: the primary does not come back.
test.skipIf(process.platform !== 'linux')(
  'a commit whose wait is ended by a fast shutdown is not acknowledged, although it is stored',
  async () => {
    const tenantId = await store.newTenant()
    const ingest = ingestWaiting(10_000)
    await ingest.submit(tenantId, callEvent('RINGING'))
    signalReceiver('SIGSTOP')
    const event = callEvent('RINGING')
    const answers = Promise.allSettled([ingest.submit(tenantId, event)])
    const waits = () => store.query("select from pg_stat_activity where wait_event = 'SyncRep'")
    await waitUntil('the commit to wait', async () => (await waits()).length === 1, { timeoutMs: 10_000 })
    process.kill(pair.primaryPid, 'SIGINT')
    expect(await answers).toMatchObject([isUnavailable])

    // The shutdown ends once the replica has all that was written, this event as well.
    signalReceiver('SIGCONT')
    const replica = new pg.Client({ connectionString: store.database.ownerReplicaUrl })
    await replica.connect()
    closing.unshift(() => replica.end())
    const found = () =>
      replica.query('select from hopwhistle.call_events where tenant_id = $1 and event_id = $2', [
        tenantId,
        event.eventId,
      ])
    await waitUntil('the replica to have it', async () => (await found()).rowCount === 1, { timeoutMs: 30_000 })
  },
  90_000,
)
