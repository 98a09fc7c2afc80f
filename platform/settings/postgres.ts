/**
 * The settings of every Postgres, defined once: the local stack, compose.yaml and the chart take them from here, so what
 * is measured is what is shipped. Each place adds its own settings: port, addresses, sockets, pg_hba.conf, and how a
 * replica finds its primary.
 *
 * Primary and replica get the same: a replica must be able to become the primary, and each ignores what only the other
 * uses.
 */
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { type Arithmetic, GIB, MIB, within } from './arithmetic.ts'

export type Settings = Readonly<Record<string, string>>

/** `N` is a number, or in a chart an expression for one. */
export type PostgresServer<N> = {
  /** All memory that the server and its sessions may use; in a container its limit. */
  readonly memoryBytes: N
  readonly maxConnections?: N
  /** WAL between two checkpoints. Depends on the disk, not on memory. */
  readonly maxWalSize?: string
  /** The most WAL that the primary keeps for a replica that is away. Also depends on the disk. */
  readonly maxSlotWalKeepSize?: string
}

/** Memory of one server in compose.yaml, in the chart's defaults, and on a machine with enough memory. */
export const POSTGRES_MEMORY_BYTES = 2 * GIB
export const MAX_WAL_SIZE = '4GB'
export const MAX_SLOT_WAL_KEEP_SIZE = '8GB'

/**
 * How a database is created, which no setting can change later. Text sorts by bytes: this is the fastest order, and the
 * same with every libc. Checksums detect a page that the disk has corrupted.
 */
export const INITDB_ARGUMENTS = ['--encoding=UTF8', '--locale=C', '--data-checksums'] as const

/** Memory of one server on a machine that it shares with the rest of the platform: at most a quarter. */
export function postgresMemoryOn(machineBytes: number): number {
  return Math.min(POSTGRES_MEMORY_BYTES, Math.trunc(machineBytes / 4))
}

export function postgresSettings<N>(
  {
    memoryBytes,
    maxConnections,
    maxWalSize = MAX_WAL_SIZE,
    maxSlotWalKeepSize = MAX_SLOT_WAL_KEEP_SIZE,
  }: PostgresServer<N>,
  by: Arithmetic<N>,
): Settings {
  const connections = maxConnections ?? LIMITS.postgres_connections.value
  const memoryMb = by.quotient(memoryBytes, MIB)
  const sharedBuffersMb = by.larger(by.quotient(memoryMb, 4), 64)
  // All connections can sort at the same time in the memory that shared_buffers leaves. Never less than Postgres's default.
  const workMemMb = within(
    by,
    { least: 4, most: 64 },
    by.quotient(by.difference(memoryMb, sharedBuffersMb), connections),
  )
  return {
    max_connections: `${connections}`,

    shared_buffers: `${sharedBuffersMb}MB`,
    // Only an estimate for the planner; it includes the kernel's cache within the same limit.
    effective_cache_size: `${by.quotient(by.product(memoryMb, 3), 4)}MB`,
    work_mem: `${workMemMb}MB`,
    // Each of three autovacuum workers may use this much.
    maintenance_work_mem: `${within(by, { least: 32, most: 1024 }, by.quotient(memoryMb, 16))}MB`,
    // Tables are on SSDs or in memory.
    random_page_cost: '1.1',
    // Reports are many and short: compiling their plans costs more than it saves.
    jit: 'off',

    // An acknowledged commit is durable. These are the defaults, set so that no image or tool changes them unnoticed.
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    wal_level: 'replica',
    max_wal_size: maxWalSize,
    // The first change of a page after a checkpoint writes the whole page to the WAL. Three times the default's interval
    // saves most of that; in return recovery reads more WAL, max_wal_size at most.
    checkpoint_timeout: '15min',
    checkpoint_completion_target: '0.9',

    // A replica refuses to start with lower values than its primary. These are the values of initdb.
    max_wal_senders: '10',
    max_replication_slots: '10',
    // A replica that is away must not fill the disk of the primary.
    max_slot_wal_keep_size: maxSlotWalKeepSize,
    hot_standby: 'on',
    // The primary keeps rows that a report on the replica still reads, so replay does not cancel the report.
    hot_standby_feedback: 'on',
    // Other conflicts delay replay for at most as long as one query may run.
    max_standby_streaming_delay: `${LIMITS.postgres_query_timeout.value}ms`,
    // The primary's view of the replica's lag is at most this old.
    wal_receiver_status_interval: '1s',

    // Boards, alerts and the load tests' findings read these statistics, so every server collects them.
    shared_preload_libraries: 'pg_stat_statements',
    'pg_stat_statements.max': '5000',
    'pg_stat_statements.track': 'all',
    compute_query_id: 'on',
    track_io_timing: 'on',
    // Two clock readings per flush: cheap, and the only way to see that the disk limits commits.
    track_wal_io_timing: 'on',

    // What initdb writes for the locale C, repeated because the file of a server may replace initdb's.
    lc_messages: 'C',
    default_text_search_config: 'pg_catalog.english',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Logs waits for locks longer than deadlock_timeout, and statements far slower than any target.
    log_lock_waits: 'on',
    log_min_duration_statement: '2s',
    // The log has no values of statements, because they contain telephone numbers.
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
  }
}

/** Lines of a postgresql.conf. */
export function postgresConf(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${quoted(value)}\n`)
    .join('')
}

/** Arguments for `postgres`; they override postgresql.conf. */
export function postgresArguments(settings: Settings): readonly string[] {
  return Object.entries(settings).map(([name, value]) => `-c${name}=${value}`)
}

export function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
