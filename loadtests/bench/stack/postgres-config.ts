/** The configuration of the local Postgres pair: as durable as in production, sized for a machine that it shares. */
import { totalmem } from 'node:os'

export type PostgresSettings = Readonly<Record<string, string>>

const MIB = 1024 * 1024

export const REPLICATION_SLOT = 'hopwhistle_replica'
export const REPLICATION_ROLE = 'hopwhistle_replication'

/** @returns what goes into postgresql.conf of the primary and, all but the port, of the replica */
export function postgresSettings(): PostgresSettings {
  const sharedBuffersMib = Math.min(1024, Math.max(128, Math.round(totalmem() / MIB / 16)))
  return {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '100',

    shared_buffers: `${sharedBuffersMib}MB`,
    effective_cache_size: `${sharedBuffersMib * 3}MB`,
    work_mem: '16MB',
    maintenance_work_mem: '128MB',
    random_page_cost: '1.1',
    // Reports are many and short: compiling their plans costs more than it saves.
    jit: 'off',

    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    wal_level: 'replica',
    max_wal_size: '4GB',
    checkpoint_timeout: '15min',
    checkpoint_completion_target: '0.9',

    // Not less than initdb's own values, which the replica's copy remembers: it would refuse to start.
    max_wal_senders: '10',
    max_replication_slots: '10',
    // A replica that is gone must not fill the disk of the primary.
    max_slot_wal_keep_size: '8GB',
    hot_standby: 'on',
    hot_standby_feedback: 'on',
    max_standby_streaming_delay: '30s',
    wal_receiver_status_interval: '1s',

    shared_preload_libraries: 'pg_stat_statements',
    'pg_stat_statements.max': '5000',
    'pg_stat_statements.track': 'all',
    compute_query_id: 'on',
    track_io_timing: 'on',
    track_wal_io_timing: 'on',

    timezone: 'UTC',
    log_timezone: 'UTC',
    log_lock_waits: 'on',
    log_min_duration_statement: '2s',
    // Statements in the log come without their values, which are people's numbers.
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
  }
}

export function renderSettings(settings: PostgresSettings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${quote(value)}\n`)
    .join('')
}

/** TCP from this machine with a password, and nothing else. */
export const HBA = `\
host all all 127.0.0.1/32 scram-sha-256
host replication ${REPLICATION_ROLE} 127.0.0.1/32 scram-sha-256
`

export function quote(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
