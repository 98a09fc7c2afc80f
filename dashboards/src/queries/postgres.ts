/**
 * The Postgres servers, by their own metrics. `pg_hopwhistle_*` comes from ../../exporters/postgres-queries.yaml; the others
 * have the same name in postgres_exporter 0.11 to 0.20.
 */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { aggregate, CHOSEN, PANEL_WINDOW, rate, select } from '../promql.ts'
import { kubernetesQuery, now, query } from './query.ts'

const database = { ...CHOSEN, datname: '!~template.*|postgres|' }

export const serversUp = query('{{server}}', aggregate('min', select('pg_up', CHOSEN), ['server']))
export const transactions = query(
  '{{server}}',
  aggregate('sum', rate('pg_stat_database_xact_commit', database), ['server']),
)
export const rollbacks = query(
  '{{server}} rolled back',
  aggregate('sum', rate('pg_stat_database_xact_rollback', database), ['server']),
)
export const sessions = query(
  '{{server}} {{activity}}',
  aggregate('sum', select('pg_hopwhistle_sessions_count', CHOSEN), ['server', 'activity']),
)
export const waits = query(
  '{{server}} {{wait}}',
  aggregate('sum', select('pg_hopwhistle_waits_count', CHOSEN), ['server', 'wait']),
)
export const longest = query(
  '{{server}}',
  aggregate('max', select('pg_hopwhistle_sessions_longest_seconds', CHOSEN), ['server']),
)
export const statementTime = query(
  '{{server}}: {{statement}}',
  `topk(8, ${aggregate('sum', rate('pg_hopwhistle_statements_seconds_total', CHOSEN), ['server', 'statement'])})`,
)
export const statementMean = now(
  query(
    '{{server}}: {{statement}}',
    `${aggregate('sum', rate('pg_hopwhistle_statements_seconds_total', CHOSEN), ['server', 'statement'])}
  / (${aggregate('sum', rate('pg_hopwhistle_statements_calls_total', CHOSEN), ['server', 'statement'])} > 0)`,
  ),
)
export const statementCalls = now(
  query(
    '{{server}}: {{statement}}',
    aggregate('sum', rate('pg_hopwhistle_statements_calls_total', CHOSEN), ['server', 'statement']),
  ),
)
export const locks = query(
  '{{server}} {{mode}}',
  `${aggregate('sum', select('pg_locks_count', database), ['server', 'mode'])} > 0`,
)
export const lockWaits = query(
  '{{server}}',
  aggregate('sum', select('pg_hopwhistle_sessions_blocked', CHOSEN), ['server']),
)
export const deadlocks = query(
  '{{server}}',
  `sum by (server) (increase(${select('pg_stat_database_deadlocks', database)}[${PANEL_WINDOW}]))`,
)
export const cacheHits = query(
  '{{server}}',
  `${aggregate('sum', rate('pg_stat_database_blks_hit', database), ['server'])} / (${aggregate('sum', rate('pg_stat_database_blks_hit', database), ['server'])} + ${aggregate('sum', rate('pg_stat_database_blks_read', database), ['server'])} > 0)`,
)
export const wal = query('{{server}}', aggregate('sum', rate('pg_hopwhistle_wal_bytes_total', CHOSEN), ['server']))
export const lagSeconds = query('as the API sees it', aggregate('max', select(METRICS.replicaLagSeconds, CHOSEN)))
export const lagBytes = query('{{instance}}', aggregate('max', select(METRICS.replicaLagBytes, CHOSEN), ['instance']))
export const replicaUsed = query('{{instance}}', aggregate('min', select(METRICS.replicaUp, CHOSEN), ['instance']))
export const replicasStreaming = query(
  'streaming',
  aggregate('sum', select('pg_hopwhistle_replication_streaming', CHOSEN)),
)
export const slotActive = query('{{slot}}', aggregate('min', select('pg_hopwhistle_slots_active', CHOSEN), ['slot']))
export const slotRetained = query(
  '{{slot}}',
  aggregate('max', select('pg_hopwhistle_slots_retained_bytes', CHOSEN), ['slot']),
)
export const archiveFailing = query('failing', aggregate('max', select('pg_hopwhistle_archive_failing', CHOSEN)))
export const archiveWaiting = query('waiting', aggregate('max', select('pg_hopwhistle_archive_waiting_bytes', CHOSEN)))
export const backupAge = kubernetesQuery('age', aggregate('max', select('pg_hopwhistle_backup_age_seconds', CHOSEN)))
export const size = query('{{server}}', aggregate('max', select('pg_hopwhistle_size_bytes', CHOSEN), ['server']))
export const deadRows = query(
  '{{table}}',
  `topk(5, ${aggregate('max', select('pg_hopwhistle_tables_dead_rows', { ...CHOSEN, server: 'primary' }), ['table'])})`,
)
