import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { postgresUrl } from '../../../platform/stack/postgres-pair.ts'
import { freshDatabase, type TestDatabase } from '../../../platform/test-support/fresh-database.ts'
import { anotherReplica, ownPostgres } from '../../../platform/test-support/own-postgres.ts'
import { startTcpProxy } from '../../../platform/test-support/tcp-proxy.ts'
import { type PlatformOptions, startPlatform } from './reporting-platform.ts'

/** Two standbys behind one address, as the `-ro` service of a cluster has them: each connection leads to either. */
let database: TestDatabase
let standbys: readonly [number, number]
beforeAll(async () => {
  const postgres = await ownPostgres()
  standbys = [postgres.replicaPort, (await anotherReplica(postgres)).port]
  database = await freshDatabase(postgres)
  return postgres.stop
})
const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close()
})
afterAll(() => expect(open).toEqual([]))

async function asOwner<T>(port: number, text: string): Promise<T> {
  const { superuserPassword } = database.postgres
  const client = new pg.Client({ connectionString: postgresUrl(port, database.name, 'postgres', superuserPassword) })
  await client.connect()
  try {
    return (await client.query(text)).rows[0]
  } finally {
    await client.end()
  }
}

async function behindOneAddress(options: PlatformOptions = {}) {
  const between = await startTcpProxy(...standbys)
  open.push(between.close)
  const platform = await startPlatform({ database, replicaUrl: between.through(database.replicaUrl), ...options })
  open.push(platform.close)
  const tenant = await platform.newTenant()
  let written = 0
  let asked = 0
  const everywhere = () =>
    Promise.all(
      standbys.map((port) =>
        waitUntil(
          'both standbys to have everything',
          async () => {
            const { at } = await asOwner<{ at: string }>(
              database.postgres.primaryPort,
              'select pg_current_wal_flush_lsn() as at',
            )
            return (await asOwner<{ there: boolean }>(port, `select pg_last_wal_replay_lsn() >= '${at}' as there`))
              .there
          },
          { timeoutMs: 15_000 },
        ),
      ),
    )
  await everywhere()
  return {
    platform,
    tenant,
    between,
    everywhere,
    write: async () => {
      const callId = `call-${++written}`
      return { callId, position: await tenant.post({ callId, state: 'RINGING', atMs: Date.now() }) }
    },
    /** A list that no cache has. */
    list: (query: Record<string, string> = {}) =>
      tenant.calls({
        limit: '200',
        startedTo: new Date(Date.now() + 3_600_000 + ++asked * 1_000).toISOString(),
        ...query,
      }),
    stopReplay: async (port: number) => {
      await asOwner(port, 'select pg_wal_replay_pause()')
      open.push(() => asOwner(port, 'select pg_wal_replay_resume()'))
    },
  }
}

const ids = (answer: { body: { calls: { callId: string }[] } }) => answer.body.calls.map(({ callId }) => callId)
/** More than the pool has connections, so that some lead to each standby. */
const readers = (read: (i: number) => Promise<void>) => Promise.all(Array.from({ length: 12 }, (_, i) => read(i)))

test('of two standbys that replay, none is read for a write that it does not have', async () => {
  const { tenant, write, list } = await behindOneAddress()
  const sources = new Set<string>()
  let missed = 0
  for (let i = 0; i < 25; i++) {
    const { callId, position } = await write()
    await readers(async (reader) => {
      if (reader % 2 === 0) {
        const answer = await list({ position })
        if (!ids(answer).includes(callId)) missed += 1
        sources.add(answer.body.source)
      } else {
        const answer = await tenant.ask(`/api/v1/calls/${callId}?position=${position}`)
        if (answer.status !== 200) missed += 1
      }
    })
  }
  expect(missed).toBe(0)
  expect([...sources]).toContain('replica')
})

test.each([0, 1])(
  'with replay stopped on standby %i, no report misses its write, and no cached one either',
  async (stopped) => {
    const { platform, tenant, write, stopReplay, list } = await behindOneAddress()
    await readers(async () => void (await list()))
    await stopReplay(standbys[stopped] as number)
    const other = platform.actAs(tenant.tenantId)
    let missed = 0
    const sources = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const { callId, position } = await write()
      await readers(async (reader) => {
        // Each a report of its own, asked twice: the second time it may come from the cache.
        const query = { position, limit: String(100 + reader) }
        for (const asking of [tenant, other]) {
          const answer = await asking.calls(query)
          if (!ids(answer).includes(callId)) missed += 1
          sources.add(answer.body.source)
        }
      })
    }
    expect(missed).toBe(0)
    // The standby that replays is used for what the other one lacks.
    expect([...sources].toSorted()).toEqual(expect.arrayContaining(['cache', 'replica']))
  },
)

test('asOf is of the standby that was read', async () => {
  const { write, stopReplay, list } = await behindOneAddress()
  await stopReplay(standbys[1])
  const { callId, position } = await write()
  const writtenMs = Date.now()
  await list({ position })
  const late: number[] = []
  let seen = 0
  await waitUntil(
    'reports of both standbys',
    async () => {
      await readers(async () => {
        const answer = await list()
        if (ids(answer).includes(callId)) seen += 1
        else late.push(Date.parse(answer.body.asOf))
      })
      return late.length > 10 && seen > 0
    },
    { timeoutMs: 15_000 },
  )
  expect(Math.max(...late)).toBeLessThanOrEqual(writtenMs)
})

test('a standby further behind than allowed is left alone, and the other one is read', async () => {
  const { write, stopReplay, list } = await behindOneAddress({ env: { REPLICA_MAX_LAG_MS: '600' } })
  await readers(async () => void (await list()))
  await stopReplay(standbys[0])
  const { callId } = await write()
  const stoppedAt = Date.now()
  await waitUntil('the time that is allowed, and some more', async () => Date.now() - stoppedAt > 1_500, {
    timeoutMs: 5_000,
  })
  await waitUntil('a report of the standby that replays', async () => (await list()).body.source === 'replica', {
    timeoutMs: 15_000,
  })
  const sources: string[] = []
  for (let i = 0; i < 20; i++) {
    await readers(async () => {
      const answer = await list()
      expect(ids(answer)).toContain(callId)
      sources.push(answer.body.source)
    })
  }
  expect(sources.filter((source) => source === 'replica').length).toBeGreaterThan(sources.length / 2)
})

test('a standby that closes its connections costs nobody an error, and the other one goes on being read', async () => {
  const { list, everywhere, write, between } = await behindOneAddress()
  const { position } = await write()
  await everywhere()
  between.lead(standbys[1])
  let answered = 0
  const asking = readers(async (i) => {
    while (answered < 200) {
      const { status, body } = await list(i % 2 === 0 ? { position } : {})
      expect([status, body.calls?.length]).toEqual([200, 1])
      answered += 1
    }
  })
  await asOwner(standbys[0], "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'hopwhistle_api'")
  await asking
  await waitUntil('reports of the other standby', async () => (await list()).body.source === 'replica', {
    timeoutMs: 15_000,
  })
})
