import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { describe, expect, test } from 'vitest'
import type { LoadtestResult } from '../../bench/evidence/loadtest-result.ts'
import { factsOf } from '../../bench/findings/facts-of.ts'
import { find } from '../../bench/findings/find.ts'
import type { Findings } from '../../bench/findings/finding.ts'
import { judge } from '../../bench/judge/judge.ts'
import type { PodEvidence } from '../../bench/sample/server-evidence.ts'
import { type ResultOptions, resultWith } from '../fixtures/result-with.ts'
import { processWith, type ServerOptions, serverWith } from '../fixtures/server-with.ts'

const conclude = (result: LoadtestResult, generatorOnSameMachine = true): Findings =>
  find(factsOf(result), judge(result), { generatorOnSameMachine })

const withServer = (server: ServerOptions, options: ResultOptions = {}) =>
  resultWith({ ...options, server: serverWith({ apiCounted: 34_089, ...server }) })

const texts = (findings: Findings, rule: string): readonly string[] =>
  [...findings.findings, ...findings.bottlenecks, ...findings.recommendations]
    .filter((one) => one.rule === rule)
    .map(({ text }) => text)

test('in a cluster, the pod of the platform that is nearest to its CPU limit is named, and no runner', () => {
  const { machine: _, ...server } = serverWith({ apiCounted: 34_089, processes: [] })
  const pod = (name: string, kind: PodEvidence['kind'], cpuCores: number): PodEvidence => ({
    ...{ pod: name, kind, node: 'node-1', cpuCores, throttled: 0, cpuLimitCores: 0.5 },
    ...{ memoryBytes: 150 * 2 ** 20, memoryLimitBytes: 256 * 2 ** 20 },
  })
  const kubernetes = {
    nodes: [{ name: 'node-1', cores: 4, cpuCores: 2 }],
    pods: [pod('hopwhistle-api-5d-x', 'api', 0.45), pod('calls-1-y', 'k6', 0.49)],
  }
  const found = conclude(resultWith({ server: { ...server, kubernetes } }), false)
  expect(found.limitedBy).toBe('the CPU of hopwhistle-api-5d-x: 90 %')
  expect(texts(found, 'saturated')).toEqual([
    'The first to run out was the CPU of hopwhistle-api-5d-x: 90 %, 0.45 of the 0.50 cores of its limit on average.',
  ])
})

describe('when nothing is near its limit', () => {
  const found = conclude(withServer({}))

  test('the nearest is named with its figures, and how far the load could grow', () => {
    expect(texts(found, 'nothing-near')).toEqual([
      "Nothing is near its limit. The nearest is the machine's CPU at 40 %: 0.80 of 2 cores in use on average " +
        "(the API's 3 instances 0.38, k6 0.25, the primary 0.10, the replica 0.04, Redis 0.02 and the sampler 0.02); " +
        "then the event loop of api-1 (20 %) and the machine's memory (20 %).",
    ])
    expect(texts(found, 'find-the-end')[0]).toContain('about 1,050 updates a second (`RATE=1050`)')
    expect(found.limitedBy).toBe("nothing; nearest to its limit is the machine's CPU, 40 %")
    expect(texts(found, 'saturated')).toEqual([])
  })

  test('margins, cost, batches and statements are there with their figures', () => {
    expect(texts(found, 'headroom')[0]).toMatch(/^p95 38 ms \(7\.8 times below its target of <300 ms\) and p99 76 ms/)
    expect(texts(found, 'cpu-cost')).toEqual([
      "CPU for a thousand updates: the API's 3 instances 0.75 s, k6 0.50 s, the primary 0.20 s, the replica 0.08 s and Redis 0.04 s.",
    ])
    expect(texts(found, 'batches')[0]).toMatch(/^Group commit wrote 34,090 events in 16,000 batches, 2\.1 events each/)
    expect(texts(found, 'statements')[1]).toContain(
      '100 % of the statement time went to `call hopwhistle.commit_call_events(…)`',
    )
    expect(texts(found, 'latency-parts')).toEqual([
      'Committing a batch took 2.5 ms on average, 99 % below 5.0 ms. ' +
        'Sampled 300 times while committing, sessions waited for the WAL flush 67 % of the time.',
    ])
  })
})

describe('a resource that ran out is named first', () => {
  const saturated = { cpuIdle: 0.05 }

  test('a CPU quota that is used up on a machine that is half idle, and how often it stopped the run', () => {
    const machine = { quota: { cores: 1, throttled: 0.63 } }
    const processes = [processWith('k6', 'k6', 0.4), processWith('api-1', 'api', 0.58)]
    const found = conclude(withServer({ cpuIdle: 1, machine, processes }))
    expect(found.limitedBy).toBe('the CPU quota: 98 %, the most of it by the API')
    expect(texts(found, 'saturated')[0]).toContain(
      "0.98 of 1.00 cores in use on average, and stopped by it in 63 % of the kernel's periods",
    )
  })

  test("the machine's CPU, with who used it", () => {
    const processes = [processWith('k6', 'k6', 1), processWith('api-1', 'api', 0.9)]
    const found = conclude(withServer({ ...saturated, processes }))
    expect(texts(found, 'saturated')[0]).toBe(
      "The first to run out was the machine's CPU: 98 %, 1.95 of 2 cores in use on average, of which k6 1.00 and the API's 1 instances 0.90.".replace(
        "the API's 1 instances",
        'the API',
      ),
    )
    expect(found.limitedBy).toBe("the machine's CPU: 98 %, the most of it by k6")
    expect(texts(found, 'generator-apart')[0]).toContain('it takes 1.00 of the 1.95 cores in use')
    expect(texts(found, 'nothing-near')).toEqual([])
    expect(texts(found, 'find-the-end')).toEqual([])
  })

  test('k6 is not sent away from where it is not', () => {
    const processes = [processWith('k6', 'k6', 1), processWith('api-1', 'api', 0.9)]
    expect(texts(conclude(withServer({ ...saturated, processes }), false), 'generator-apart')).toEqual([])
  })

  test('for small batches it recommends a longer wait', () => {
    const processes = [processWith('k6', 'k6', 0.9), processWith('api-1', 'api', 0.9)]
    expect(texts(conclude(withServer({ ...saturated, processes })), 'larger-batches')).toEqual([
      'Let batches grow: one holds 2.1 events, and every commit costs CPU whatever it holds. At 505 updates a second to ' +
        'each instance, waiting 5 ms (`INGEST_BATCH_WAIT_MS=5`) gathers about 4.',
    ])
    expect(texts(conclude(withServer({})), 'larger-batches')).toEqual([])
  })

  test('for small frames on a saturated machine it recommends larger ones, if there is room', () => {
    const server = serverWith({ scenario: 'redis-pubsub', ...saturated, processes: [processWith('k6', 'k6', 1.9)] })
    const found = (slowness: number) => conclude(resultWith({ scenario: 'redis-pubsub', slowness, server }))
    expect(texts(found(1), 'fewer-frames')[0]).toMatch(/a frame carries 10\.0 messages, .* p95 leaves 62 ms of room/)
    expect(texts(found(2.4), 'fewer-frames')).toEqual([])
  })

  test('programs that are no part of it', () => {
    const found = conclude(withServer({ ...saturated, processes: [processWith('k6', 'k6', 0.4)] }))
    expect(texts(found, 'larger-machine')).toEqual([
      'Measure again on a quiet machine: programs that are no part of the measurement used 1.55 of its 2 cores.',
    ])
  })

  test('an event loop asks for another instance, with what a core carries', () => {
    const found = conclude(withServer({ api: { gauges: { [METRICS.eventLoopUtilization]: 0.93 } } }))
    expect(found.limitedBy).toBe('the event loop of api-1: 93 %')
    expect(texts(found, 'more-api-cpu')[0]).toBe(
      'Add an API instance: the event loop of api-1 is 93 % busy. At the measured cost, one core of the API carries about ' +
        '930 updates a second when it is 70 % busy.',
    )
  })

  test('a limit is named with the variable that raises it', () => {
    const api = { limits: { websockets: 1000 }, usage: { websockets: 900 } }
    const found = conclude(withServer({ api }))
    expect(texts(found, 'saturated')[0]).toBe(
      "The first to run out was an instance's WebSockets: 90 %, 900 of 1,000 at most.",
    )
    expect(texts(found, 'raise-limit')).toEqual([
      'Add an API instance, or raise `MAX_WEBSOCKETS`: 900 of 1,000 at most.',
    ])
  })

  test('a full connection pool tells how large it may become', () => {
    const gauges = {
      [`${METRICS.poolConnections}{pool="ingest",state="busy"}`]: 6,
      [`${METRICS.poolWaiting}{pool="ingest"}`]: 4,
    }
    const found = conclude(withServer({ api: { gauges } }))
    expect(texts(found, 'pool-waits')[0]).toBe(
      '4.0 queries waited for a connection of the ingest pool at any moment (4 at most), with 6 connections busy.',
    )
    expect(texts(found, 'larger-pool')[0]).toContain(
      'Raise `POSTGRES_POOL_SIZE` from 20, up to 152: 1 instance then takes 90 %',
    )
  })
})

describe('Postgres', () => {
  const waits = (event: string) => ({
    activity: {
      looks: 100,
      busySamples: 400,
      waits: [
        { backend: 'client backend', pool: 'ingest', event, samples: 300 },
        { backend: 'client backend', pool: 'ingest', event: 'CPU', samples: 100 },
        { backend: 'client backend', pool: 'ingest', event: 'Client:ClientRead', samples: 900 },
        { backend: 'walwriter', pool: '', event: 'IO:WalSync', samples: 90 },
      ],
    },
  })

  test('sessions that wait for the WAL flush are what limits, and batching the way out', () => {
    const found = conclude(withServer({ primary: waits('IO:WalSync') }))
    expect(found.limitedBy).toBe('postgres primary, WAL flush: 75 % of 400 samples')
    expect(texts(found, 'database-waits')).toEqual([
      '4.0 sessions of the primary were at work at any moment, and 75 % of 400 samples of them waited for the WAL flush.',
    ])
    expect(texts(found, 'faster-flush')[0]).toBe(
      "To answer even sooner, put the primary's WAL on a disk that flushes faster (1.2 ms each): " +
        'sampled 400 times while committing, sessions waited for the WAL flush 75 % of the time.',
    )
  })

  test('row locks and deadlocks are distinguished from them', () => {
    const database = { ...serverWith().postgres!.primary.database, deadlocks: 2 }
    const found = conclude(withServer({ primary: { ...waits('Lock:transactionid'), database } }))
    expect(texts(found, 'lock-waits')).toEqual([
      "Sessions waited for each other's rows in 75 % of 400 samples.",
      'Postgres broke 2 deadlocks.',
    ])
    expect(texts(found, 'faster-flush')).toEqual([])
  })

  test('a low cache hit ratio needs memory, and updates in place are reported', () => {
    const database = { ...serverWith().postgres!.primary.database, blocksReadPerSecond: 40_000 }
    const tables = [{ name: 'calls', inserts: 10, updates: 1000, hotUpdates: 900, deletes: 0 }]
    const found = conclude(withServer({ primary: { database, tables } }))
    expect(texts(found, 'more-buffers')[0]).toContain('it finds 50 % of its blocks in memory')
    expect(texts(found, 'database')[0]).toContain('made 90.00 % of its updates without touching an index (HOT)')
  })

  test('three counts of the same events are shown next to each other', () => {
    const server = serverWith({ apiCounted: 34_089 })
    const rowsOfRun = { events: 34_088, calls: 8_522 }
    const found = conclude(resultWith({ server: { ...server, postgres: { ...server.postgres!, rowsOfRun } } }))
    expect(texts(found, 'cross-check')).toEqual([
      'k6 counted 34,088 accepted events, the API committed 34,090, and Postgres holds 34,088 of this run, of 8,522 calls.',
    ])
  })

  test('a replica that lags', () => {
    const found = conclude(withServer({ api: { gauges: { [METRICS.replicaLagSeconds]: 4 } } }))
    expect(texts(found, 'replica-lag')).toEqual([
      'The replica was 4.0 s behind on average and 4.0 s at most, with 12 kB of WAL to replay at most.',
    ])
    expect(texts(found, 'slow-replica')[0]).toContain('it is 4.0 s behind on average')
  })
})

test('refusals are counted by reason', () => {
  const api = { totals: { [`${METRICS.rejected}{reason="too-many-requests"}`]: 31 } }
  expect(texts(conclude(withServer({ api, redis: { evictedKeys: 5 } })), 'refused')).toEqual([
    'The API refused requests: 31 too-many-requests.',
    'Redis evicted 5 keys to stay below 2.0 GB.',
  ])
})

test('the slowest window comes with what was unusual then', () => {
  const result = withServer({})
  const series = result.series!.map((point, i) =>
    i === 40
      ? {
          ...point,
          histograms: {
            update_latency_peak: {
              ...point.histograms.update_latency_peak!,
              counts: point.histograms.update_latency_peak!.counts.map(([b, n]) => [b + 120, n] as const),
            },
          },
        }
      : point,
  )
  const server = serverWith({ apiCounted: 34_089 })
  const spike = Array.from({ length: 600 }, (_, at) => (at === 41 ? 9_000_000 : 900_000))
  const changed = {
    ...server,
    postgres: { ...server.postgres!, primary: { ...server.postgres!.primary, walBytesPerSecond: spike } },
  }
  const found = conclude({ ...result, series, server: { ...changed } })
  expect(texts(found, 'worst-window')[0]).toMatch(
    /^The slowest 1 s of the peak began 40 s after the start, with a p99 of .* Unusual then: WAL written 8\.6 MB\/s \(usually /,
  )
})

test('the time inside the API is shown next to what k6 measured', () => {
  const route = '{method="POST",route="/api/v1/demo/events/call"}'
  const http = { edges: [0.0025, 0.005, 0.01], counts: [90, 9, 1, 0], count: 100, sum: 0.2 }
  const histograms = { [`${METRICS.httpDuration}${route}`]: http }
  expect(texts(conclude(withServer({ api: { histograms } })), 'latency-parts')).toEqual([
    'Inside the API, 95 % of the requests took less than 5.0 ms, and 2.0 ms on average; k6 saw a p95 of 38 ms.',
  ])
  const delay = { edges: [0.05, 0.1], counts: [99, 1, 0], count: 100, sum: 2 }
  const api = { histograms: { [METRICS.liveDelay]: delay }, totals: { [METRICS.liveDelivered]: 6_060_000 } }
  const found = conclude(withServer({ scenario: 'redis-pubsub', api }, { scenario: 'redis-pubsub' }))
  expect(texts(found, 'latency-parts')).toEqual([
    'A delivery took 38 ms; the API took less than 50 ms from receiving an event to writing it to its sockets; a publisher ' +
      'got its response after 19 ms; a frame waited 1.0 ms inside k6 for its handler (each figure is a p95).',
  ])
})

test('live delivery is accounted for', () => {
  const found = conclude(resultWith({ scenario: 'redis-pubsub' }))
  expect(texts(found, 'delivery')[0]).toBe(
    '6,060,000 deliveries were due at 200 subscribers over the whole run, 101,000 a second at the peak: each arrived once and in order.',
  )
})

test('reports are shown by endpoint, source and cache', () => {
  const api = {
    totals: {
      [`${METRICS.reportSource}{source="replica"}`]: 90,
      [`${METRICS.reportSource}{source="cache"}`]: 10,
      [`${METRICS.reportCache}{result="miss"}`]: 90,
      [`${METRICS.reportCache}{result="hit"}`]: 10,
    },
  }
  const found = conclude(withServer({ scenario: 'reporting-endpoints', api }, { scenario: 'reporting-endpoints' }))
  expect(texts(found, 'endpoints')[0]).toMatch(/^p95 by report, slowest first: daily metrics 57 ms/)
  expect(texts(found, 'report-sources')).toEqual([
    'Of 100 reports, 90 % were read from the replica and 10 % came from the cache.',
    'Of 100 look-ups in the report cache, 90 % were misses and 10 % were hits.',
  ])
})

test('without evidence of the servers it is said that nothing is known', () => {
  const found = conclude(resultWith({ server: 'none' }))
  expect(found.limitedBy).toBe('not known: the servers were not sampled')
  expect(texts(found, 'unknown')).toHaveLength(1)
  expect(found.recommendations).toEqual([])
})

test('every sentence has a figure in it, and ends', () => {
  for (const scenario of ['call-state-updates', 'reporting-endpoints', 'redis-pubsub'] as const) {
    const found = conclude(resultWith({ scenario }))
    for (const { text } of [...found.findings, ...found.bottlenecks, ...found.recommendations]) {
      expect(text).toMatch(/\d/)
      expect(text).toMatch(/\.$/)
      expect(text).not.toMatch(/undefined|NaN|Infinity|null/)
    }
  }
})
