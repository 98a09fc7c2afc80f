/** What to change when Postgres is what is waited for. */
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { ms, number, percent, plural } from '@hopwhistle/platform/document/figures.ts'
import { largestPool } from '../connection-budget.ts'
import type { FindingRule } from '../finding.ts'
import { sampleCount, waitShares } from '../waits.ts'

/** Share of the samples from which on the WAL flush is what a commit waits for. */
const FLUSH_BOUND = 0.5
/** Part of a target from which on it is worth the trouble to get further away from it. */
const CLOSE_TO_TARGET = 0.5
const LOW_HIT_RATIO = 0.95

export const fasterFlush: FindingRule = {
  name: 'faster-flush',
  say({ facts: { postgres, api }, verdict }) {
    if (postgres === undefined || api?.ingest === undefined) return []
    const shares = waitShares(postgres, 'ingest')
    const flush = shares.find(({ group }) => group === 'WAL flush')
    if (flush === undefined || flush.share < FLUSH_BOUND) return []
    const p95 = verdict.metrics.find(({ name }) => name === 'p95')
    const each = postgres.walMeanSyncMs === undefined ? '' : ` (${ms(postgres.walMeanSyncMs)} each)`
    const close = p95?.measured !== undefined && p95.measured > p95.target * CLOSE_TO_TARGET
    return [
      `${close ? 'Put' : 'To answer even sooner, put'} the primary's WAL on a disk that flushes faster${each}: ` +
        `sampled ${number(sampleCount(shares))} times while committing, sessions waited for the WAL flush ${percent(flush.share)} of the time.`,
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
