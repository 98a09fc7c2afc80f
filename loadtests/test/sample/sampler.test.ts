import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { freshDatabase } from '@hopwhistle/platform/test-support/fresh-database.ts'
import { freshRedis } from '@hopwhistle/platform/test-support/fresh-redis.ts'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { beginSampling } from '../../bench/sample/sampler.ts'
import { peakOf, type Series } from '../../bench/sample/server-evidence.ts'
import { farewellId } from '../../scenarios/lib/message-ids.ts'

const open: (() => unknown)[] = []
afterAll(async () => {
  for (const close of open) await close()
})

/** An instance that counts its scrapes, as prom-client would write it. */
async function instance(): Promise<{ adminUrl: string; scrapes: () => number }> {
  let scrapes = 0
  const server = createServer((_, response) => {
    scrapes += 1
    response.end(
      [
        '# TYPE hopwhistle_http_requests_total counter',
        `hopwhistle_http_requests_total{route="/x"} ${10 * scrapes}`,
        '# TYPE hopwhistle_usage gauge',
        `hopwhistle_usage{resource="websockets"} ${scrapes}`,
        '# TYPE hopwhistle_limit gauge',
        'hopwhistle_limit{resource="websockets"} 1234567',
        '# TYPE hopwhistle_ingest_commit_seconds histogram',
        `hopwhistle_ingest_commit_seconds_bucket{le="0.1"} ${2 * scrapes}`,
        `hopwhistle_ingest_commit_seconds_bucket{le="+Inf"} ${3 * scrapes}`,
        `hopwhistle_ingest_commit_seconds_sum ${scrapes}`,
        `hopwhistle_ingest_commit_seconds_count ${3 * scrapes}`,
        '# TYPE other gauge',
        'other 1',
      ].join('\n'),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(() => server.close())
  return { adminUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, scrapes: () => scrapes }
}

test('every server is sampled on one beat, and what grew is told', async () => {
  const database = await freshDatabase()
  const redis = await freshRedis()
  const api = await instance()
  const sampler = await beginSampling(
    {
      api: [{ id: 'api-1', adminUrl: api.adminUrl }],
      postgres: { primaryUrl: database.ownerUrl, replicaUrl: database.ownerReplicaUrl },
      redisUrl: redis.url,
      processes: [
        { name: 'postgres primary', kind: 'postgres', pid: database.postgres.primaryPid, withDescendants: true },
        { name: 'sampler', kind: 'sampler', pid: process.pid, withDescendants: false },
      ],
    },
    200,
  )
  const client = new pg.Client({
    connectionString: database.apiUrl,
    application_name: 'hopwhistle-api api-1 ingest',
  })
  await client.connect()
  await client.query("select 'measured', pg_sleep(1)")
  await client.end()
  await waitUntil('some samples', () => api.scrapes() >= 8, { timeoutMs: 15_000 })
  const evidence = await sampler.end()

  expect(evidence.omitted).toEqual([])
  const samples = evidence.atSeconds.length
  expect(samples).toBe(api.scrapes())
  for (const series of seriesIn(evidence)) if (typeof series !== 'number') expect(series).toHaveLength(samples)

  expect(evidence.api).toHaveLength(1)
  expect(evidence.api[0]).toMatchObject({
    instance: 'api-1',
    unanswered: 0,
    limits: { websockets: 1_234_567 },
    totals: { 'hopwhistle_http_requests_total{route="/x"}': 10 * (samples - 1) },
    histograms: {
      hopwhistle_ingest_commit_seconds: {
        edges: [0.1],
        counts: [2 * (samples - 1), samples - 1],
        count: 3 * (samples - 1),
      },
    },
  })
  expect(peakOf(evidence.api[0]?.usage.websockets)).toBe(samples)
  expect(evidence.api[0]?.gauges).not.toHaveProperty('other')

  const primary = evidence.postgres?.primary
  expect(primary?.statements.map(({ query, calls }) => [query, calls])).toEqual([['select $1, pg_sleep($2)', 1]])
  expect(primary?.activity.waits).toContainEqual({
    backend: 'client backend',
    pool: 'ingest',
    event: 'Timeout:PgSleep',
    samples: expect.any(Number),
  })
  expect(peakOf(primary?.connections.active)).toBeGreaterThanOrEqual(1)
  expect(primary?.replication?.replicas).toBe(1)
  expect(evidence.postgres?.replica).not.toHaveProperty('replication')
  expect(evidence.redis).toMatchObject({ maxMemoryPolicy: 'volatile-ttl', evictedKeys: 0 })

  if (process.platform !== 'linux') return
  expect(peakOf(evidence.processes[0]?.processes)).toBeGreaterThan(5)
  expect(peakOf(evidence.processes[1]?.memoryBytes)).toBeGreaterThan(10_000_000)
  const { user, system, iowait, steal, idle } = evidence.machine!.cpuCores
  // Over the whole time: a single beat that came late would show more than there is.
  const { atSeconds } = evidence
  const seconds = (i: number) => (i === 0 ? 0 : atSeconds[i]! - atSeconds[i - 1]!)
  const cpuSeconds = [user, system, iowait, steal, idle]
    .flatMap((series) => atSeconds.map((_, i) => seconds(i) * (typeof series === 'number' ? series : (series[i] ?? 0))))
    .reduce((sum, seconds) => sum + seconds, 0)
  const share = cpuSeconds / evidence.machine!.cores / (atSeconds.at(-1)! - atSeconds[0]!)
  expect(share).toBeGreaterThan(0.8)
  expect(share).toBeLessThan(1.2)
})

test('what a run left in the database is counted by its id, and what was written to each table is told', async () => {
  const database = await freshDatabase()
  const client = new pg.Client({ connectionString: database.ownerUrl })
  await client.connect()
  const store = (runId: string, call: string, states: readonly string[]) =>
    client.query(
      `with events as (
         insert into hopwhistle.call_events (tenant_id, occurred_at, received_at, state, place, event_id, call_id)
         select gen_random_uuid(), now(), now(), 0, 1, $1 || '.' || $2 || '.' || state, $1 || '.' || $2
         from unnest($3::text[]) as s (state))
       insert into hopwhistle.calls (tenant_id, started_at, updated_at, state, call_id)
       select gen_random_uuid(), now(), now(), 0, $1 || '.' || $2`,
      [runId, call, states],
    )
  await store('run', '1.0', ['INITIATED', 'RINGING'])
  await client.query('select pg_stat_force_next_flush()')
  const sampler = await beginSampling(
    { api: [], postgres: { primaryUrl: database.ownerUrl }, runId: 'run-1', processes: [] },
    100,
  )
  await store('run-1', '1.0', ['INITIATED', 'RINGING', 'ANSWERED', 'COMPLETED'])
  await store('run-1', 'c0.7', ['p7'])
  await store('run-1', farewellId({ runId: 'run-1', startedAt: 1 }, 3, 12).slice('run-1.'.length), ['of publisher 3'])
  for (const other of ['run', 'run-', 'run-10', 'run-2']) await store(other, '1.0', ['INITIATED'])
  await client.query('select pg_stat_force_next_flush()')
  await client.end()
  const { postgres, omitted } = await sampler.end()

  expect(omitted).toEqual([])
  expect(postgres?.rowsOfRun).toEqual({ events: 5, calls: 2 })
  expect(postgres?.primary.tables).toEqual([
    { name: 'call_events', inserts: 10, updates: 0, hotUpdates: 0, deletes: 0 },
    { name: 'calls', inserts: 7, updates: 0, hotUpdates: 0, deletes: 0 },
  ])
})

test('a server that does not answer is said to be missing, and the others are sampled', async () => {
  const redis = await freshRedis()
  await redis.stop()
  const api = await instance()
  const sampler = await beginSampling(
    {
      api: [
        { id: 'api-1', adminUrl: api.adminUrl },
        { id: 'api-2', adminUrl: 'http://127.0.0.1:9' },
      ],
      redisUrl: redis.url,
      processes: [],
    },
    100,
  )
  await waitUntil('some samples', () => api.scrapes() >= 3, { timeoutMs: 15_000 })
  const evidence = await sampler.end()
  expect(evidence.api.map(({ instance }) => instance)).toEqual(['api-1'])
  expect(evidence).not.toHaveProperty('redis')
  expect(evidence).not.toHaveProperty('postgres')
  expect(evidence.omitted).toEqual([
    expect.stringContaining('Redis was not sampled'),
    expect.stringContaining('api-2 never answered'),
  ])
})

/** Every series in the evidence: lists of numbers that are neither a histogram's nor the times themselves. */
function seriesIn(value: unknown): Series[] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, child]): Series[] => {
    if (['edges', 'counts', 'atSeconds'].includes(key)) return []
    return Array.isArray(child) && child.length > 0 && child.every(isSample) ? [child] : seriesIn(child)
  })
}

function isSample(value: unknown): boolean {
  return value === null || typeof value === 'number'
}
