/** Redis, by its own metrics and as the API sees it. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { aggregate, CHOSEN, PANEL_WINDOW, rate, select, sumRate } from '../promql.ts'
import { query } from './query.ts'

export const up = query('{{instance}}', aggregate('min', select('redis_up', CHOSEN), ['instance']))
export const seenByApi = query('{{instance}}', aggregate('min', select(METRICS.redisUp, CHOSEN), ['instance']))
export const memory = query('{{instance}}', aggregate('max', select('redis_memory_used_bytes', CHOSEN), ['instance']))
export const maxMemory = query('maxmemory', aggregate('min', select('redis_memory_max_bytes', CHOSEN)))
export const evicted = query(
  '{{instance}}',
  `sum by (instance) (increase(${select('redis_evicted_keys_total', CHOSEN)}[${PANEL_WINDOW}]))`,
)
export const expired = query('expired', sumRate('redis_expired_keys_total', CHOSEN))
export const clients = query('{{instance}}', aggregate('max', select('redis_connected_clients', CHOSEN), ['instance']))
export const refused = query(
  '{{instance}}',
  `sum by (instance) (increase(${select('redis_rejected_connections_total', CHOSEN)}[${PANEL_WINDOW}]))`,
)
export const commands = query('{{cmd}}', `topk(8, ${sumRate('redis_commands_total', CHOSEN, ['cmd'])})`)
export const commandTime = query(
  '{{cmd}}',
  `topk(8, ${sumRate('redis_commands_duration_seconds_total', CHOSEN, ['cmd'])} / (${sumRate('redis_commands_total', CHOSEN, ['cmd'])} > 0))`,
)
export const hitRatio = query(
  'found',
  `${sumRate('redis_keyspace_hits_total', CHOSEN)} / (${sumRate('redis_keyspace_hits_total', CHOSEN)} + ${sumRate('redis_keyspace_misses_total', CHOSEN)} > 0)`,
)
export const channels = query('{{instance}}', aggregate('max', select('redis_pubsub_channels', CHOSEN), ['instance']))
export const networkIn = query('in', sumRate('redis_net_input_bytes_total', CHOSEN))
export const networkOut = query('out', sumRate('redis_net_output_bytes_total', CHOSEN))
export const cpu = query(
  '{{instance}}',
  `${aggregate('sum', rate('redis_cpu_user_seconds_total', CHOSEN), ['instance'])} + ${aggregate('sum', rate('redis_cpu_sys_seconds_total', CHOSEN), ['instance'])}`,
)
