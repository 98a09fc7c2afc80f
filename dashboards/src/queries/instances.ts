/** The processes of the API, by Node's own metrics. */
import { METRICS, SCRAPE_JOBS } from '@hopwhistle/contract/metrics.ts'
import { aggregate, CHOSEN, rate, select } from '../promql.ts'
import { query } from './query.ts'

const api = { ...CHOSEN, job: SCRAPE_JOBS.api }

export const up = query('{{job}}', aggregate('sum', select('up', { ...CHOSEN, job: '=~hopwhistle-.*' }), ['job']))
export const instancesUp = query('instances', aggregate('sum', select('up', api)))
export const eventLoop = query(
  '{{instance}}',
  aggregate('max', select(METRICS.eventLoopUtilization, CHOSEN), ['instance']),
)
/** Each process computes this percentile of its own event loop; the highest is shown, not a mean. */
export const eventLoopLag = query(
  '{{instance}}',
  aggregate('max', select('nodejs_eventloop_lag_p99_seconds', api), ['instance']),
)
export const cpu = query('{{instance}}', aggregate('sum', rate('process_cpu_seconds_total', api), ['instance']))
export const memory = query(
  '{{instance}}',
  aggregate('sum', select('process_resident_memory_bytes', api), ['instance']),
)
export const heap = query('{{instance}}', aggregate('sum', select('nodejs_heap_size_used_bytes', api), ['instance']))
export const gc = query('{{kind}}', aggregate('sum', rate('nodejs_gc_duration_seconds_sum', api), ['kind']))
export const versions = query('{{version}}', aggregate('count', select('nodejs_version_info', api), ['version']))
export const startedAt = query(
  '{{instance}}',
  `time() - ${aggregate('max', select('process_start_time_seconds', api), ['instance'])}`,
)
export const openFiles = query('{{instance}}', aggregate('max', select('process_open_fds', api), ['instance']))
