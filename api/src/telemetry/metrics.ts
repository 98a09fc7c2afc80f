import {
  BATCH_SIZE_EDGES,
  COUNTED_FROM_THE_START,
  DURATION_EDGES_SECONDS,
  METRICS,
} from '@hopwhistle/contract/metrics.ts'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { collectProcessMetrics } from './event-loop-delay.ts'

/**
 * Every instrument of one API instance, in a registry of its own so that tests may have several apps.
 * No label ever carries a tenant, a key or a call: their number has no bound.
 */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  const seconds = [...DURATION_EDGES_SECONDS]
  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers })
  /** With one label, whose known values are there from the start. */
  const counterOf = <L extends string>(name: keyof typeof COUNTED_FROM_THE_START, help: string, label: L) => {
    const made = counter(METRICS[name], help, [label])
    for (const value of COUNTED_FROM_THE_START[name]) made.inc({ [label]: value } as Record<L, string>, 0)
    return made
  }
  const gauge = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers })
  const histogram = <L extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly L[] = [],
  ) => new Histogram<L>({ name, help, buckets, labelNames: [...labelNames], registers })

  collectProcessMetrics(registry)

  const readers: (() => unknown)[] = []
  return {
    registry,
    /** `read` sets gauges whose values are read rather than counted. It runs before every scrape. */
    beforeScrape: (read: () => void | Promise<void>): void => void readers.push(read),
    /** All metrics as they are now, in the Prometheus text format. */
    scrape: async (): Promise<string> => {
      await Promise.all(readers.map((read) => read()))
      return registry.metrics()
    },
    httpRequests: counter(METRICS.httpRequests, 'Requests answered', ['method', 'route', 'status']),
    httpDuration: histogram(METRICS.httpDuration, 'Time from request to answer', seconds, ['method', 'route']),
    httpInFlight: gauge(METRICS.httpInFlight, 'Requests being served'),
    limit: gauge(METRICS.limit, 'A limit of the platform, in its own unit', ['resource']),
    usage: gauge(METRICS.usage, 'Use of a limited resource, in the unit of its limit', ['resource']),
    rejected: counterOf('rejected', 'Requests and sockets refused, by the limit that refused them', 'reason'),
    eventLoopUtilization: gauge(
      METRICS.eventLoopUtilization,
      'Share of the last 5 s or more that the event loop was busy',
    ),
    poolConnections: gauge(METRICS.poolConnections, 'Connections of a pool', ['pool', 'state']),
    poolWaiting: gauge(METRICS.poolWaiting, 'Queries waiting for a connection', ['pool']),
    poolWait: histogram(METRICS.poolWait, 'Time a query waited for a connection', seconds, ['pool']),
    replicaLagSeconds: gauge(METRICS.replicaLagSeconds, 'Age of what the replica shows'),
    replicaLagBytes: gauge(METRICS.replicaLagBytes, 'WAL that the replica has yet to replay'),
    replicaUp: gauge(METRICS.replicaUp, '1 when reports use the replica'),
    reportSource: counterOf('reportSource', 'Reports, by where they were read', 'source'),
    reportCache: counterOf('reportCache', 'Look-ups in the report cache', 'result'),
    timeZonesDiffering: gauge(
      METRICS.timeZonesDiffering,
      'Time zones of which this instance and Postgres have other rules, as found at its start',
    ),
    ingestEvents: counterOf('ingestEvents', 'Call events answered, by what became of them', 'outcome'),
    ingestBatchSize: histogram(METRICS.ingestBatchSize, 'Events committed together', [...BATCH_SIZE_EDGES]),
    ingestCommit: histogram(METRICS.ingestCommit, 'Time to commit a batch', seconds),
    ingestQueue: gauge(METRICS.ingestQueue, 'Events accepted and not yet committed'),
    ingestRetries: counterOf('ingestRetries', 'Batches written again', 'reason'),
    rollupsFolded: counter(METRICS.rollupsFolded, 'Pending rows folded into the rollups'),
    rollupsPending: gauge(METRICS.rollupsPending, 'Rows that are not yet folded into the rollups'),
    rollupsFoldedUntil: gauge(
      METRICS.rollupsFoldedUntil,
      'Unix time before which everything is folded into the rollups; 0 until it is known',
    ),
    outboxRepublished: counter(
      METRICS.outboxRepublished,
      'Batches published by the sweeper, not by who committed them',
    ),
    outboxStale: gauge(
      METRICS.outboxStale,
      'Age of the oldest batch that a sweep of the outbox could not publish; 0 when there is none',
    ),
    retentionCalls: counter(METRICS.retentionCalls, 'Calls deleted because they were too old'),
    retentionEvents: counter(METRICS.retentionEvents, 'Events deleted with them'),
    retentionPassed: gauge(
      METRICS.retentionPassed,
      'Unix time at which nothing that is too old was left; 0 until it is known',
    ),
    upkeepFailed: counterOf('upkeepFailed', 'Attempts at work in the background that failed', 'task'),
    webhookAttempts: counterOf('webhookAttempts', 'Attempts to deliver an event to a webhook', 'result'),
    webhookDelay: histogram(METRICS.webhookDelay, 'Time from receiving an event to its delivery by webhook', seconds),
    webhookLag: gauge(METRICS.webhookLag, 'Age of the oldest event that a webhook of this instance has not been given'),
    webhooks: gauge(METRICS.webhooks, 'Webhooks of all tenants, by state', ['state']),
    webhooksDisabled: counterOf('webhooksDisabled', 'Webhooks that the platform disabled', 'reason'),
    livePublished: counter(METRICS.livePublished, 'Messages handed to Redis'),
    livePublishFailed: counter(METRICS.livePublishFailed, 'Publishes that failed and were left to the sweeper'),
    liveReceived: counter(METRICS.liveReceived, 'Messages received from Redis'),
    liveDelivered: counter(METRICS.liveDelivered, 'Messages written to sockets: messages times subscribers'),
    liveFrames: counter(METRICS.liveFrames, 'WebSocket frames written'),
    liveSockets: gauge(METRICS.liveSockets, 'Open WebSockets'),
    liveClosed: counterOf('liveClosed', 'WebSockets closed', 'reason'),
    liveRecoveries: counterOf('liveRecoveries', 'Resumes, by whether nothing was missed', 'result'),
    liveGaps: counterOf('liveGaps', 'Gaps between Redis and an instance', 'result'),
    liveDelay: histogram(METRICS.liveDelay, 'Time from receiving an event to writing it to sockets', seconds),
    redisUp: gauge(METRICS.redisUp, '1 when Redis answers'),
  }
}

export type Metrics = ReturnType<typeof createMetrics>
