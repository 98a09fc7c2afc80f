/** Names of every metric that the API exports, and the edges of its histograms, in seconds. */
export const METRICS = {
  httpRequests: 'hopwhistle_http_requests_total',
  httpDuration: 'hopwhistle_http_request_duration_seconds',
  httpInFlight: 'hopwhistle_http_requests_in_flight',
  limit: 'hopwhistle_limit',
  usage: 'hopwhistle_usage',
  rejected: 'hopwhistle_rejected_total',
  eventLoopUtilization: 'hopwhistle_event_loop_utilization_ratio',
  poolConnections: 'hopwhistle_postgres_pool_connections',
  poolWaiting: 'hopwhistle_postgres_pool_waiting',
  poolWait: 'hopwhistle_postgres_pool_wait_seconds',
  replicaLagSeconds: 'hopwhistle_replica_lag_seconds',
  replicaLagBytes: 'hopwhistle_replica_lag_bytes',
  replicaUp: 'hopwhistle_replica_up',
  reportSource: 'hopwhistle_report_source_total',
  reportCache: 'hopwhistle_report_cache_total',
  timeZonesDiffering: 'hopwhistle_time_zones_differing',
  ingestEvents: 'hopwhistle_ingest_events_total',
  ingestBatchSize: 'hopwhistle_ingest_batch_size_events',
  ingestCommit: 'hopwhistle_ingest_commit_seconds',
  ingestQueue: 'hopwhistle_ingest_queue_events',
  ingestRetries: 'hopwhistle_ingest_retries_total',
  rollupsFolded: 'hopwhistle_rollups_folded_rows_total',
  rollupsPending: 'hopwhistle_rollups_pending_rows',
  rollupsFoldedUntil: 'hopwhistle_rollups_folded_until_timestamp_seconds',
  outboxRepublished: 'hopwhistle_outbox_republished_total',
  outboxStale: 'hopwhistle_outbox_stale_seconds',
  retentionCalls: 'hopwhistle_retention_calls_total',
  retentionEvents: 'hopwhistle_retention_events_total',
  retentionPassed: 'hopwhistle_retention_passed_timestamp_seconds',
  upkeepFailed: 'hopwhistle_upkeep_failed_total',
  webhookAttempts: 'hopwhistle_webhook_attempts_total',
  webhookDelay: 'hopwhistle_webhook_delay_seconds',
  webhookLag: 'hopwhistle_webhook_lag_seconds',
  webhooks: 'hopwhistle_webhooks',
  webhooksDisabled: 'hopwhistle_webhooks_disabled_total',
  livePublished: 'hopwhistle_live_published_total',
  livePublishFailed: 'hopwhistle_live_publish_failed_total',
  liveReceived: 'hopwhistle_live_received_total',
  liveDelivered: 'hopwhistle_live_delivered_total',
  liveFrames: 'hopwhistle_live_frames_total',
  liveSockets: 'hopwhistle_live_sockets',
  liveClosed: 'hopwhistle_live_closed_total',
  liveRecoveries: 'hopwhistle_live_recoveries_total',
  liveGaps: 'hopwhistle_live_gaps_total',
  liveDelay: 'hopwhistle_live_delay_seconds',
  redisUp: 'hopwhistle_redis_up',
} as const

/**
 * Values of counters' labels that are known beforehand. A counter exports them from the start, as 0: a series that
 * begins with its first count has no increase then, and an alert would never see it.
 */
export const COUNTED_FROM_THE_START = {
  rejected: [
    'rate-limited',
    'over-share',
    'memory',
    'requests-in-flight',
    'too-many-exports',
    'ingest-overloaded',
    'websockets',
    'request-timeout',
  ],
  reportSource: ['cache', 'replica', 'primary'],
  reportCache: ['hit', 'miss', 'stale', 'joined', 'skipped'],
  ingestEvents: ['applied', 'late', 'duplicate', 'conflict', 'refused'],
  ingestRetries: ['connection', '40P01', '40001'],
  upkeepFailed: ['folding', 'outbox', 'retention', 'webhooks'],
  webhookAttempts: ['delivered', 'failed', 'given-up'],
  webhooksDisabled: ['failing', 'gone'],
  liveClosed: [
    'client',
    'gone',
    'restart',
    'slow-reader',
    'try-again',
    'over-share',
    'bad-message',
    'unauthorized',
    'too-many-requests',
  ],
  liveRecoveries: ['recovered', 'lost', 'failed'],
  liveGaps: ['filled', 'reset'],
} as const satisfies Partial<Record<keyof typeof METRICS, readonly string[]>>

/** Edges at every latency target (50, 100, 150, 200, 300, 500 ms), so that an SLO reads off a bucket. */
export const DURATION_EDGES_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2.5, 5, 10, 30,
] as const

export const BATCH_SIZE_EDGES = [1, 2, 5, 10, 20, 50, 100, 200, 350, 500] as const

/**
 * How Prometheus finds the platform, wherever it runs. Every target carries the labels `job` (one of these), `namespace`,
 * `release` and `instance`; one of Postgres also `server`, which is `primary` or `replica`. Dashboards and alerts select
 * by these and by nothing else.
 */
export const SCRAPE_JOBS = {
  api: 'hopwhistle-api',
  postgres: 'hopwhistle-postgres',
  redis: 'hopwhistle-redis',
} as const
