import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { bytes, ms, number, percent } from '@hopwhistle/platform/document/figures.ts'
import { blocks, bullets, table } from '@hopwhistle/platform/document/markdown.ts'
import { mostInstances, primaryConnections } from '../../findings/connection-budget.ts'
import { cpuShares } from '../../findings/cpu.ts'
import type { Facts } from '../../findings/facts.ts'
import { type DocumentModel, measuredOf } from '../model.ts'

/** CPU up to which a core may be planned to be used: above it, latency grows out of proportion. */
const PLANNED_CPU = 0.7

export function scalingSection(model: DocumentModel): string {
  const calls = measuredOf(model, 'call-state-updates')?.facts
  const reports = measuredOf(model, 'reporting-endpoints')?.facts
  const live = measuredOf(model, 'redis-pubsub')?.facts
  return blocks(
    '## Scaling recommendations',
    'These figures are the ones measured above, on this machine. Ratios between them also hold on other machines.',
    '### Horizontal scaling',
    bullets([
      apiServers(calls, reports, live),
      `**Database, reads:** reports read the replica. ${replica(reports)}`,
      `**Redis:** with \`REDIS_CLUSTER_NODES\` the API uses sharded pub/sub and keeps a tenant's keys on one node, for availability first: ${redisCpu(live)}`,
    ]),
    '### What a unit of work costs',
    costs([
      ['1,000 call events, one in each request', calls],
      ['1,000 reports, those from the cache included', reports],
      [
        `1,000 live messages to ${number(live?.load.delivery?.subscribers ?? 0)} subscribers, their events included`,
        live,
      ],
    ]),
    '### Vertical scaling',
    bullets([
      disk(calls),
      connections(calls ?? reports ?? live),
      `**Redis:** its memory limit is ${bytes(LIMITS.redis_memory.value)} (\`REDIS_MAX_MEMORY_BYTES\`). ${redisMemory(model)}`,
      `**API server:** ${heap(model)} \`NODE_OPTIONS=--max-old-space-size\` raises the heap when that is not enough.`,
    ]),
    '### Optimization strategies',
    'Database',
    bullets([
      'Every filter of the reports has its index, and pages continue from a key instead of an offset, so the cost does not grow with history.',
      'Metrics come from rollups kept up to date with each batch; repeated reports come from a cache in Redis with single flight.',
      `Group commit: \`INGEST_BATCH_WAIT_MS\` and \`INGEST_BATCH_MAX\` trade latency for commits. ${batches(calls)}`,
    ]),
    'Redis',
    bullets([
      'Commands of one tick share a round trip, and a batch of messages is numbered, stored and published by one script.',
      `Messages of one tick (\`LIVE_TICK_MS\`) share a frame. ${frames(live)}`,
      'In a cluster, sharded pub/sub keeps a message on the node of its tenant instead of sending it to all.',
    ]),
    'API',
    bullets([
      `Each tenant has a rate of ${number(LIMITS.tenant_rate.value)} events a second over all instances (\`TENANT_RATE_PER_SECOND\`); past it 429 with Retry-After.`,
      'Reports carry ETag and Cache-Control, so that clients and proxies keep them.',
      'Answers are written by serializers compiled from their schemas; a live message is encoded once, however many subscribers it has.',
    ]),
  )
}

function perCore(facts: Facts | undefined): number | undefined {
  if (facts === undefined || facts.load.peakSeconds === 0) return undefined
  const api = cpuShares(facts).find(({ kind }) => kind === 'api')?.cores
  return api ? (PLANNED_CPU * facts.load.ok) / facts.load.peakSeconds / api : undefined
}

function apiServers(calls?: Facts, reports?: Facts, live?: Facts): string {
  const figures = [
    [perCore(calls), 'updates'],
    [perCore(reports), 'reports'],
    [perCore(live), `messages to ${number(live?.load.delivery?.subscribers ?? 0)} subscribers`],
  ] as const
  const known = figures.filter((pair): pair is readonly [number, (typeof pair)[1]] => pair[0] !== undefined)
  const carried =
    known.length === 0
      ? 'What a core carries was not measured: no CPU was sampled.'
      : `At ${percent(PLANNED_CPU)} of a core, the API carries about ${known.map(([rate, what]) => `${number(rate)} ${what}`).join(', or ')} a second.`
  return `**API servers:** three instances or more behind a load balancer, so that one can fail. ${carried}`
}

/** CPU seconds of each server, all instances together. The generator and the sampler are left out. */
function costs(works: readonly (readonly [string, Facts | undefined])[]): string {
  const servers = ['api', 'postgres primary', 'postgres replica', 'redis']
  const rows = works.flatMap(([work, facts]) => {
    if (facts === undefined || facts.load.ok === 0 || facts.processes.length === 0) return []
    const { processes, load } = facts
    const cores = servers.map((server) =>
      processes.reduce((sum, { name, kind, cpuCores }) => sum + ([name, kind].includes(server) ? cpuCores.mean : 0), 0),
    )
    return [[work, ...cores.map((mean) => number((1000 * mean * load.peakSeconds) / load.ok, 2))]]
  })
  return rows.length === 0
    ? 'Not measured in this environment: no CPU of single servers was sampled.'
    : blocks(
        'CPU seconds, of all instances together. Add the rows for a mixed load.',
        table(['', 'API', 'Primary', 'Replica', 'Redis'], rows, [1, 2, 3, 4]),
      )
}

function disk(calls: Facts | undefined): string {
  const wal = calls?.postgres?.walBytesPerSecond?.mean
  const sync = calls?.postgres?.walMeanSyncMs
  const written =
    wal === undefined || calls === undefined || calls.load.ok === 0
      ? 'how much WAL an event writes was not sampled here.'
      : `an event writes ${bytes((wal * calls.load.peakSeconds) / calls.load.ok)} of WAL.`
  return `**Disk of the primary:** ${written}${sync === undefined ? '' : ` A flush of the WAL took ${ms(sync)} on average.`}`
}

function replica(reports: Facts | undefined): string {
  const { cache = 0, ...sources } = reports?.api?.reports?.bySource ?? {}
  const total = Object.values(sources).reduce((a, b) => a + b, 0)
  const lag = reports?.api?.replicaLagSeconds
  if (total === 0) return 'How many of them was not measured in this environment.'
  const age = lag === undefined ? '' : `, ${ms(1000 * lag.mean)} behind the primary on average`
  return `It answered ${percent((sources.replica ?? 0) / total)} of those that the cache did not have (${number(total)} of ${number(total + cache)})${age}. Add a second replica when its CPU is the limit.`
}

function redisCpu(live: Facts | undefined): string {
  const cpu = live?.redis?.cpuCores
  if (cpu === undefined) return 'its CPU was not sampled here.'
  return `at the peak of live delivery one Redis used ${percent(cpu.mean)} of its core.`
}

function connections(facts: Facts | undefined): string {
  const max = facts?.postgres?.maxConnections ?? LIMITS.postgres_connections.value
  const size = facts?.api?.limits.postgres_pool ?? LIMITS.postgres_pool.value
  return (
    `**Database:** a pool of ${number(size)} has ${number(primaryConnections(size))} connections to the primary; the others go to the replica. ` +
    `The ${number(max)} connections of the primary are enough for ${number(mostInstances(max, size))} instances, with a tenth kept for migrations, monitoring and replication. ` +
    `For more, use PgBouncer, or a smaller \`POSTGRES_POOL_SIZE\`: ${poolUse(facts)}`
  )
}

function poolUse(facts: Facts | undefined): string {
  const use = facts?.api?.usage.postgres_pool
  return use === undefined ? 'their use was not sampled here.' : `an instance used ${number(use.peak)} at most.`
}

function redisMemory({ measured }: DocumentModel): string {
  const peaks = measured.flatMap(({ facts }) => facts.redis?.memoryBytes?.peak ?? [])
  return peaks.length === 0 ? 'Its use was not sampled here.' : `${bytes(Math.max(...peaks))} were used at most.`
}

function heap({ measured }: DocumentModel): string {
  const peaks = measured.flatMap(({ facts }) =>
    facts.processes.filter(({ kind }) => kind === 'api').flatMap(({ memoryBytes }) => memoryBytes?.peak ?? []),
  )
  return peaks.length === 0
    ? 'The memory of an instance was not sampled here.'
    : `an instance used ${bytes(Math.max(...peaks))} of memory at most.`
}

function batches(calls: Facts | undefined): string {
  const ingest = calls?.api?.ingest
  if (ingest === undefined) return 'The size of batches was not measured here.'
  return `A batch held ${number(ingest.meanBatch, 1)} events on average and took ${ms(ingest.meanCommitMs)}.`
}

function frames(live: Facts | undefined): string {
  const d = live?.load.delivery
  if (d === undefined || d.frames === 0) return 'How many was not measured here.'
  return `A frame carried ${number(d.delivered / d.frames, 1)} on average.`
}
