/** One page each in ../runbooks, and each is linked from an alert. */
export const RUNBOOKS = [
  'call-events-burn',
  'reports-burn',
  'live-burn',
  'limit-near',
  'requests-rejected',
  'event-loop-busy',
  'target-down',
  'metrics-missing',
  'postgres-down',
  'pool-waits',
  'replica-lagging',
  'replica-gone',
  'slot-inactive',
  'slot-retains-wal',
  'redis-down',
  'redis-memory',
  'redis-evictions',
  'live-gaps',
  'slow-readers',
  'cpu-throttled',
  'memory-near-limit',
  'hpa-at-maximum',
  'load-test-failed',
  'load-test-hangs',
] as const

export type RunbookName = (typeof RUNBOOKS)[number]
