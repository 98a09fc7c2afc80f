import type { HopwhistleValues } from '../charts/hopwhistle-values.ts'

/** Options of both servers. The replica needs at least the primary's connections. */
export function postgresOptions({ postgres }: HopwhistleValues): readonly string[] {
  const settings = {
    listen_addresses: '*',
    unix_socket_directories: '/tmp',
    hba_file: '/scripts/pg_hba.conf',
    max_connections: postgres.maxConnections,
    shared_buffers: postgres.sharedBuffers,
    random_page_cost: '1.1',
    // Reports are many and short: compiling their plans costs more than it saves.
    jit: 'off',
    max_wal_size: postgres.maxWalSize,
    // A replica that is gone must not fill the disk of the primary.
    max_slot_wal_keep_size: postgres.maxSlotWalKeepSize,
    hot_standby_feedback: 'on',
    wal_receiver_status_interval: '1s',
    shared_preload_libraries: 'pg_stat_statements',
    'pg_stat_statements.track': 'all',
    track_io_timing: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Statements in the log come without their values, which are people's numbers.
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
  }
  return Object.entries(settings).map(([name, value]) => `-c${name}=${value}`)
}
