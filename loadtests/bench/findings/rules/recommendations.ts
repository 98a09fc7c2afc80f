/** What to change, each tied to a bottleneck and the figure that shows it. */
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { ms, number, percent, plural } from '../../judge/format.ts'
import { largestPool } from '../connection-budget.ts'
import { cpuShares } from '../cpu.ts'
import type { Facts } from '../facts.ts'
import { type FindingRule, metricOf, ratePerSecond } from '../finding.ts'
import { isSaturated, type Resource } from '../resources.ts'
import { waitShares } from '../waits.ts'

/** Share of the samples from which on the WAL flush is what a commit waits for. */
const FLUSH_BOUND = 0.5
/** Part of a target from which on it is worth the trouble to get further away from it. */
const CLOSE_TO_TARGET = 0.5
const LOW_HIT_RATIO = 0.95
/** CPU up to which a machine may be planned to be used. */
const PLANNED_CPU = 0.7

export const generatorApart: FindingRule = {
  name: 'generator-apart',
  say({ facts, resources, generatorOnSameMachine }) {
    const cpu = resources.find(({ kind, name }) => kind === 'cpu' && name.includes('machine'))
    const k6 = cpuShares(facts).find(({ kind }) => kind === 'k6')
    const busy = facts.machine?.busyCores.mean
    if (!generatorOnSameMachine || cpu === undefined || !isSaturated(cpu) || k6 === undefined || !busy) return []
    if (k6.cores / busy < 0.3) return []
    return [
      `Run k6 on a machine of its own: it takes ${number(k6.cores, 2)} of the ${number(busy, 2)} cores in use, and what ` +
        `it waits for is in the latencies. \`API_URL\` and \`WS_URL\` point it at the platform.`,
    ]
  },
}

/** The API's share of a saturated machine, from which on more of it helps. */
const API_BOUND = 0.3

export const moreApiCpu: FindingRule = {
  name: 'more-api-cpu',
  say(context) {
    const { facts, resources, words } = context
    const loop = resources.find(({ kind }) => kind === 'event loop')
    const cpu = resources.find(({ kind, name }) => kind === 'cpu' && name.includes('machine'))
    const api = cpuShares(facts).find(({ kind }) => kind === 'api')
    const rate = ratePerSecond(context)
    if (api === undefined || rate === 0) return []
    const carried = `one core of the API carries about ${number((PLANNED_CPU * rate) / api.cores)} ${words.many} a second`
    if (loop !== undefined && isSaturated(loop)) {
      return [
        `Add an API instance: ${loop.name} is ${percent(loop.use)} busy. At the measured cost ${carried} ` +
          `when it is ${percent(PLANNED_CPU)} busy.`,
      ]
    }
    const busy = facts.machine?.busyCores.mean ?? 0
    if (cpu === undefined || !isSaturated(cpu) || busy === 0 || api.cores / busy < API_BOUND) return []
    return [
      `Give the API more cores: it uses ${number(api.cores, 2)} of the ${number(busy, 2)} in use. At the measured cost ` +
        `${carried} when it is ${percent(PLANNED_CPU)} busy.`,
    ]
  },
}

export const fewerFrames: FindingRule = {
  name: 'fewer-frames',
  say(context) {
    const { facts, resources } = context
    const d = facts.load.delivery
    const p95 = metricOf(context, 'p95')
    if (d === undefined || d.frames === 0 || p95?.measured === undefined) return []
    if (!resources.some((resource) => isSaturated(resource) && resource.kind !== 'limit')) return []
    if (cpuShares(facts)[0]?.kind === 'other') return []
    const room = p95.target - p95.measured
    if (room < 20) return []
    return [
      `Raise \`LIVE_TICK_MS\` by 10 ms or more: a frame carries only ${number(d.delivered / d.frames, 1)} messages, each frame costs ` +
        `the API, the kernel and the reader, and p95 leaves ${ms(room)} of room.`,
    ]
  },
}

export const fasterFlush: FindingRule = {
  name: 'faster-flush',
  say({ facts: { postgres, api }, verdict }) {
    const ingest = api?.ingest
    if (postgres === undefined || ingest === undefined) return []
    const flush = waitShares(postgres, 'ingest').find(({ group }) => group === 'WAL flush')
    if (flush === undefined || flush.share < FLUSH_BOUND) return []
    const p95 = verdict.metrics.find(({ name }) => name === 'p95')
    const room =
      p95?.measured === undefined ? '' : `, for which p95 leaves ${ms(Math.max(0, p95.target - p95.measured))}`
    const each = postgres.walMeanSyncMs === undefined ? '' : ` (${ms(postgres.walMeanSyncMs)} each)`
    const needed = p95?.measured !== undefined && p95.measured > p95.target * CLOSE_TO_TARGET
    return [
      `${needed ? 'Put' : 'To answer even sooner, put'} the primary's WAL on a disk that flushes faster${each}, ` +
        `or let batches grow: ${percent(flush.share)} of the samples of a commit waited for the flush, and a batch holds ` +
        `${number(ingest.meanBatch, 1)} events. \`INGEST_BATCH_WAIT_MS\` trades latency${room}.`,
    ]
  },
}

export const largerPool: FindingRule = {
  name: 'larger-pool',
  say({ facts: { api, postgres } }) {
    const waiting = (api?.pools ?? []).filter((pool) => (pool.waiting?.mean ?? 0) >= 1)
    if (api === undefined || waiting.length === 0) return []
    const size = api.limits.postgres_pool ?? LIMITS.postgres_pool.value
    const most = postgres?.maxConnections ?? LIMITS.postgres_connections.value
    const possible = largestPool(most, api.instances)
    if (possible <= size) {
      return [
        `Put PgBouncer before the primary: queries wait for connections, and ${number(api.instances)} instances × ` +
          `${number(size)} leave no more of its ${number(most)}.`,
      ]
    }
    return [
      `Raise \`POSTGRES_POOL_SIZE\` from ${number(size)}, up to ${number(possible)}: ${plural(api.instances, 'instance')} then ` +
        `${api.instances === 1 ? 'takes' : 'take'} 90 % of the ${number(most)} connections that the primary allows.`,
    ]
  },
}

export const moreBuffers: FindingRule = {
  name: 'more-buffers',
  say({ facts: { postgres } }) {
    const servers = [
      ['primary', postgres?.cacheHitRatio],
      ['replica', postgres?.replica?.cacheHitRatio],
    ] as const
    return servers.flatMap(([name, ratio]) =>
      ratio === undefined || ratio >= LOW_HIT_RATIO
        ? []
        : [
            `Give the ${name} more \`shared_buffers\`: it finds ${percent(ratio)} of its blocks in memory, ` +
              `below ${percent(LOW_HIT_RATIO)}.`,
          ],
    )
  },
}

export const slowReplica: FindingRule = {
  name: 'slow-replica',
  say({ facts: { api } }) {
    const lag = api?.replicaLagSeconds
    if (lag === undefined || lag.mean < 1) return []
    return [
      `Give the replica more CPU or a faster disk: it is ${number(lag.mean, 1)} s behind on average, and past ` +
        `\`REPLICA_MAX_LAG_MS\` reports burden the primary.`,
    ]
  },
}

export const largerMachine: FindingRule = {
  name: 'larger-machine',
  say({ facts, resources }) {
    const cpu = resources.find(({ kind, name }) => kind === 'cpu' && name.includes('machine'))
    const [most] = cpuShares(facts)
    if (cpu === undefined || !isSaturated(cpu) || most === undefined || most.kind === 'k6' || most.kind === 'api')
      return []
    if (most.kind === 'other') {
      return [
        `Measure again on a quiet machine: programs that are no part of the measurement used ${number(most.cores, 2)} of its ` +
          `${number(facts.machine?.cores ?? 0)} cores.`,
      ]
    }
    return [`Give ${most.name} a machine of its own or more cores here: it takes ${number(most.cores, 2)} of them.`]
  },
}

export const raiseLimit: FindingRule = {
  name: 'raise-limit',
  say: ({ resources }) =>
    resources
      .filter(isSaturated)
      .flatMap(({ limit, figures }) =>
        limit === undefined
          ? []
          : [
              LIMITS[limit].scope === 'instance'
                ? `Add an API instance, or raise \`${LIMITS[limit].env}\`: ${figures}.`
                : `Raise \`${LIMITS[limit].env}\` together with the server's own setting: ${figures}.`,
            ],
      ),
}

/** When nothing limits: how far this machine would go, and how to see. */
export const findTheEnd: FindingRule = {
  name: 'find-the-end',
  say(context) {
    const { facts, resources, words } = context
    const rate = ratePerSecond(context)
    if (rate === 0 || resources.some(isSaturated)) return []
    const [first] = resources
      .filter(({ kind }) => kind === 'cpu' || kind === 'event loop' || kind === 'disk')
      .map((resource) => ({ ...resource, reach: rate * growth(resource, facts) }))
      .sort((a, b) => a.reach - b.reach)
    if (first === undefined || !Number.isFinite(first.reach)) return []
    const round = first.reach >= 100 ? Math.floor(first.reach / 50) * 50 : Math.floor(first.reach)
    if (round <= rate) return []
    const variable = facts.load.delivery === undefined ? 'RATE' : 'MESSAGES_PER_SECOND'
    return [
      `Nothing has to change for this load. To see the end, raise the rate: if cost stays in proportion, ${first.name} ` +
        `reaches ${percent(first.saturatedAt)} at about ${number(round)} ${words.many} a second (\`${variable}=${round}\`).`,
    ]
  },
}

/** By what factor the load can grow until a resource is used up: what does not depend on the load stays as it is. */
function growth({ kind, name, use, saturatedAt }: Resource, facts: Facts): number {
  const cores = facts.machine?.cores ?? 1
  const fixed =
    kind === 'cpu' && name.includes('machine')
      ? cpuShares(facts)
          .filter((share) => share.kind === 'sampler' || share.kind === 'other')
          .reduce((sum, share) => sum + share.cores / cores, 0)
      : 0
  return use > fixed ? (saturatedAt - fixed) / (use - fixed) : Number.POSITIVE_INFINITY
}
