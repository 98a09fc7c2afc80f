import { LIMIT_TABLES, LIMITS, type Limit, type LimitName } from '@hopwhistle/contract/limits.ts'
import { SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { bytes, figure, number, percent } from '@hopwhistle/platform/document/figures.ts'
import { blocks, table } from '@hopwhistle/platform/document/markdown.ts'
import type { Facts } from '../../findings/facts.ts'
import { limitUse } from '../../findings/resources.ts'
import type { DocumentModel } from '../model.ts'

type Row = {
  readonly label: string
  readonly notes: string
  /** Of a timeout: what a sample once a second hardly ever shows, in milliseconds. */
  readonly slowestMs?: (facts: Facts) => number | undefined
}

const ROWS: Readonly<Record<LimitName, Row>> = {
  postgres_connections: { label: 'Connections', notes: 'all clients of the primary together' },
  postgres_query_timeout: {
    label: 'Query timeout',
    notes: 'use: the oldest running statement that was sampled',
    slowestMs: ({ postgres }) => postgres?.slowestStatementMs,
  },
  postgres_pool: {
    label: 'Connection pool',
    notes: 'per API instance, divided between ingest, reports and upkeep',
  },
  redis_connections: { label: 'Connections', notes: 'two per API instance, plus observers' },
  redis_memory: {
    label: 'Memory',
    notes: 'report cache and live history; evicts what expires soonest',
  },
  requests_in_flight: { label: 'Requests in flight', notes: 'per instance; above it 429 or 503 with Retry-After' },
  request_timeout: {
    label: 'Request timeout',
    notes: 'use: the oldest open request that was sampled',
    slowestMs: ({ load }) => (load.delivery === undefined ? load.latency : load.delivery.publish)?.max,
  },
  websockets: { label: 'WebSockets', notes: 'per instance; above it the upgrade answers 429 or 503' },
  ingest_queue: {
    label: 'Events waiting for their commit',
    notes: 'per instance; above it 429 or 503 with Retry-After',
  },
  live_socket_buffer: { label: 'Unread by one subscriber', notes: 'above it the socket is closed with 4008' },
  tenant_rate: { label: 'Events of a tenant', notes: 'over all instances; above it 429 with Retry-After' },
  request_body: { label: 'Request body', notes: 'above it 413' },
}

export function limitsSection(model: DocumentModel): string {
  return blocks(
    '## System resource limits',
    'Each limit is enforced, set by the environment variable named, and exported as `hopwhistle_limit{resource}` next to ' +
      '`hopwhistle_usage{resource}`; the dashboard Limits shows both. The peak use is the highest value of any instance, ' +
      'sampled once a second during the peak of any scenario. It misses what rose and fell between two samples.',
    '### Database (PostgreSQL)',
    tableOf(model, 'postgres'),
    '### Redis',
    tableOf(model, 'redis', [channels(model)]),
    '### API server',
    tableOf(model, 'api'),
  )
}

const HEADER = ['Resource', 'Limit', 'Peak use', 'Notes']

const tableOf = (
  model: DocumentModel,
  server: keyof typeof LIMIT_TABLES,
  more: readonly (readonly string[])[] = [],
): string => table(HEADER, [...LIMIT_TABLES[server].map((limit) => rowOf(model, limit)), ...more])

function rowOf({ measured }: DocumentModel, limit: LimitName): string[] {
  const { label, notes, slowestMs } = ROWS[limit]
  const uses = measured.flatMap(({ scenario, facts }) => {
    const use = limitUse(facts, limit)
    return use === undefined ? [] : [{ scenario, ...use }]
  })
  const most = uses.toSorted((a, b) => b.peak / b.limit - a.peak / a.limit)[0]
  const { unit, env, value } = LIMITS[limit]
  const use =
    most === undefined
      ? 'not measured: no instance exported it'
      : most.peak === 0
        ? show(0, unit)
        : `${show(most.peak, unit)} (${part(most.peak / most.limit)}), ${SCENARIOS[most.scenario].title.toLowerCase()}`
  const slowest = Math.max(...measured.map(({ facts }) => slowestMs?.(facts) ?? 0))
  const more = slowest > 0 ? [`the slowest of all took ${show(slowest, 'ms')}`] : []
  return [label, show(most?.limit ?? value, unit), use, [notes, ...more, `\`${env}\``].join('; ')]
}

function show(value: number, unit: Limit['unit']): string {
  switch (unit) {
    case 'ms':
      return value >= 1000 ? `${figure(value / 1000)} s` : `${figure(value)} ms`
    case 'bytes':
      return bytes(value)
    case 'events/s':
      return `${number(value)}/s`
    default:
      return number(value, Number.isInteger(value) ? 0 : 1)
  }
}

const part = (share: number): string => (share > 0 && share < 0.001 ? '<0.1 %' : percent(share))

function channels({ measured }: DocumentModel): readonly string[] {
  const peaks = measured.flatMap(({ scenario, facts }) =>
    facts.redis?.channels === undefined ? [] : [{ scenario, peak: facts.redis.channels.peak }],
  )
  const most = peaks.toSorted((a, b) => b.peak - a.peak)[0]
  const use =
    most === undefined
      ? 'not measured: Redis was not sampled'
      : `${number(most.peak)}, ${SCENARIOS[most.scenario].title.toLowerCase()}`
  return [
    'Pub/sub channels',
    'unlimited',
    use,
    'one for each tenant with a subscriber, however many instances and patterns',
  ]
}
