/** What a Postgres server has counted since it started, in the words of any version from 15 to 18. */
import type { ClientBase } from 'pg'
import { readTables, tablesGrowth } from './postgres-tables.ts'
import type { IoEvidence, PostgresEvidence, TableEvidence } from './server-evidence.ts'

export type Totals = {
  readonly sizeBytes: number
  readonly wal: Required<PostgresEvidence>['wal']
  readonly checkpoints: Required<PostgresEvidence>['checkpoints']
  /** Postgres 16 or newer. */
  readonly io: readonly IoEvidence[] | undefined
  /** Of a primary; a replica has no statistics about writing. */
  readonly tables: readonly TableEvidence[]
}

type Row = Readonly<Record<string, unknown>>
const IO_KEPT = 12

export async function readTotals(db: Pick<ClientBase, 'query'>, role: 'primary' | 'replica'): Promise<Totals> {
  const one = async (text: string): Promise<Row> => (await db.query<{ row: Row }>(text)).rows[0]?.row ?? {}
  const version = Number(
    (await one("select to_jsonb(v) as row from (select current_setting('server_version_num') as n) v")).n,
  )
  const size = await one('select to_jsonb(v) as row from (select pg_database_size(current_database()) as n) v')
  const io = version >= 160_000 ? await readIo(db) : undefined
  // Postgres 18 counts its writes of WAL among all other I/O.
  const walIo = (await one(
    version >= 180_000
      ? `select to_jsonb(v) as row from (select sum(writes) as wal_write, sum(write_time) as wal_write_time,
           sum(fsyncs) as wal_sync, sum(fsync_time) as wal_sync_time from pg_stat_io where object = 'wal') v`
      : 'select to_jsonb(w) as row from pg_stat_wal w',
  )) as Row
  const wal = await one('select to_jsonb(w) as row from pg_stat_wal w')
  const checkpoints = await one(
    `select to_jsonb(c) as row from ${version >= 170_000 ? 'pg_stat_checkpointer' : 'pg_stat_bgwriter'} c`,
  )
  const number = (row: Row, ...names: string[]) => Number(row[names.find((name) => row[name] !== undefined) ?? ''] ?? 0)
  return {
    // A replica answers this as well, of its own copy.
    sizeBytes: number(size, 'n'),
    wal: {
      records: role === 'primary' ? number(wal, 'wal_records') : 0,
      fullPageImages: number(wal, 'wal_fpi'),
      buffersFull: number(wal, 'wal_buffers_full'),
      writes: number(walIo, 'wal_write'),
      syncs: number(walIo, 'wal_sync'),
      writeMs: number(walIo, 'wal_write_time'),
      syncMs: number(walIo, 'wal_sync_time'),
    },
    checkpoints: {
      timed: number(checkpoints, 'num_timed', 'checkpoints_timed'),
      requested: number(checkpoints, 'num_requested', 'checkpoints_req'),
      writeMs: number(checkpoints, 'write_time', 'checkpoint_write_time'),
      syncMs: number(checkpoints, 'sync_time', 'checkpoint_sync_time'),
      buffersWritten: number(checkpoints, 'buffers_written', 'buffers_checkpoint'),
    },
    io,
    tables: role === 'primary' ? await readTables(db) : [],
  }
}

async function readIo(db: Pick<ClientBase, 'query'>): Promise<readonly IoEvidence[]> {
  const { rows } = await db.query<{ row: Row }>('select to_jsonb(i) as row from pg_stat_io i')
  return rows.map(({ row }) => ({
    backend: String(row.backend_type),
    object: String(row.object),
    context: String(row.context),
    reads: Number(row.reads ?? 0),
    readMs: Number(row.read_time ?? 0),
    writes: Number(row.writes ?? 0),
    writeMs: Number(row.write_time ?? 0),
    extends: Number(row.extends ?? 0),
    fsyncs: Number(row.fsyncs ?? 0),
    fsyncMs: Number(row.fsync_time ?? 0),
    hits: Number(row.hits ?? 0),
    evictions: Number(row.evictions ?? 0),
  }))
}

export type TotalsGrowth = Omit<Totals, 'sizeBytes'> & {
  readonly sizeBytesAtStart: number
  readonly sizeBytesAtEnd: number
}

export function difference(later: Totals, earlier: Totals): TotalsGrowth {
  return {
    sizeBytesAtStart: earlier.sizeBytes,
    sizeBytesAtEnd: later.sizeBytes,
    wal: subtract(later.wal, earlier.wal),
    checkpoints: subtract(later.checkpoints, earlier.checkpoints),
    io: later.io && busiest(later.io.map((row) => subtractIo(row, earlier.io ?? []))),
    tables: tablesGrowth(later.tables, earlier.tables),
  }
}

function subtract<T extends Readonly<Record<string, number>>>(later: T, earlier: T): T {
  return Object.fromEntries(
    Object.entries(later).map(([name, value]) => [name, rounded(value - (earlier[name] ?? 0))]),
  ) as T
}

function subtractIo(row: IoEvidence, earlier: readonly IoEvidence[]): IoEvidence {
  const { backend, object, context, ...counts } = row
  const before = earlier.find((e) => e.backend === backend && e.object === object && e.context === context)
  const { backend: _b, object: _o, context: _c, ...countsBefore } = before ?? row
  return { backend, object, context, ...(before === undefined ? counts : subtract(counts, countsBefore)) }
}

function busiest(rows: readonly IoEvidence[]): readonly IoEvidence[] {
  const timeOf = (row: IoEvidence) => row.readMs + row.writeMs + row.fsyncMs
  const workOf = (row: IoEvidence) => row.reads + row.writes + row.extends + row.fsyncs + row.hits
  return rows
    .filter((row) => workOf(row) > 0)
    .sort((a, b) => timeOf(b) - timeOf(a) || workOf(b) - workOf(a))
    .slice(0, IO_KEPT)
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
