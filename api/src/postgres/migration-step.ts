/**
 * What a migration is made of: steps, each a transaction of its own, unless it says otherwise.
 *
 *   -- step
 *   -- step outside of a transaction    one statement, run as hopwhistle_owner
 *
 * A file without such a line is one step. A migration counts as applied after its last step; when one fails or is
 * killed, the next run begins with the first, so every step of a file with several can be run again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import type { Blocker, BlockerWatch } from './lock-blockers.ts'

export type Step = {
  /** Begins with as many empty lines as are before it in the file, so that errors name its lines. */
  readonly sql: string
  readonly inTransaction: boolean
}

/** A lock was not to be had for as long as the run may wait for locks. */
export class LockNotAvailable extends Error {
  override readonly name = 'LockNotAvailable'
  readonly blockers: readonly Blocker[]
  constructor(blockers: readonly Blocker[], options: ErrorOptions) {
    super('lock not available', options)
    this.blockers = blockers
  }
}

const MARK = /^-- step( outside of a transaction)?$/
const MARK_LIKE = /^--\s*step\b/i

/** @throws {Error} for a line that looks like the mark of a step and is none */
export function stepsOf(sql: string): readonly Step[] {
  const steps: { lines: string[]; inTransaction: boolean }[] = [{ lines: [], inTransaction: true }]
  sql.split('\n').forEach((line, before) => {
    const mark = MARK.exec(line)
    if (mark !== null) {
      steps.push({ lines: Array(before + 1).fill(''), inTransaction: mark[1] === undefined })
    } else if (MARK_LIKE.test(line)) {
      throw new Error(`line ${before + 1} is "${line}"; expected "-- step" or "-- step outside of a transaction"`)
    } else {
      steps.at(-1)?.lines.push(line)
    }
  })
  return steps
    .filter(({ lines }) => lines.some((line) => !/^\s*(--.*)?$/.test(line)))
    .map(({ lines, inTransaction }) => ({ sql: lines.join('\n'), inTransaction }))
}

/**
 * How long a step waits for a lock on a table before it lets go of everything and tries again: reads and writes of that
 * table queue behind it meanwhile.
 */
const LOCK_TIMEOUT_MS = 300
const PAUSE_MAX_MS = 10_000

const LOCK_NOT_AVAILABLE = '55P03'
const DEADLOCK = '40P01'
/** Roles belong to the whole server: another database's migration may touch the same one at the same moment. */
const ROLE_RACES = new Set(['XX000', '23505', '42710'])
const ROLE_RACE_ATTEMPTS = 5

export type StepRun = {
  readonly watch: BlockerWatch
  /** What is left of the time that the run may spend on locks that it does not get; steps take from it. */
  readonly patience: { leftMs: number }
}

/**
 * @param record inserts what says that the step was applied, in its transaction where it has one
 * @throws {LockNotAvailable} and what `pg` throws
 */
export async function runStep(
  client: Client,
  { sql, inTransaction }: Step,
  { watch, patience }: StepRun,
  record: () => Promise<unknown>,
): Promise<void> {
  let behindVacuum = false
  for (let attempt = 1; ; attempt++) {
    const startedAt = performance.now()
    try {
      await (inTransaction
        ? inOneTransaction(client, sql, behindVacuum, record)
        : alone(client, sql, patience.leftMs, record))
      return
    } catch (cause) {
      const { code } = cause as { code?: string }
      if (code !== undefined && ROLE_RACES.has(code) && attempt < ROLE_RACE_ATTEMPTS) continue
      if (code !== LOCK_NOT_AVAILABLE && code !== DEADLOCK) throw cause
      const blockers = watch.take()
      behindVacuum = blockers.some(({ backend }) => backend === 'autovacuum worker')
      // Half of the pause is chance, so that it does not fall in step with what is done at regular times.
      const pauseMs = Math.min(PAUSE_MAX_MS, LOCK_TIMEOUT_MS * 2 ** attempt) * (0.5 + Math.random() / 2)
      const waitedMs = code === DEADLOCK ? 0 : performance.now() - startedAt
      patience.leftMs -= waitedMs + pauseMs
      if (patience.leftMs <= 0) throw new LockNotAvailable(blockers, { cause })
      await sleep(pauseMs)
    }
  }
}

/** @param behindVacuum waits until Postgres sends an autovacuum away, which it does after deadlock_timeout and not before */
async function inOneTransaction(
  client: Client,
  sql: string,
  behindVacuum: boolean,
  record: () => Promise<unknown>,
): Promise<void> {
  try {
    await client.query('begin')
    await client.query(
      `select set_config('lock_timeout', ($1 + case when $2
         then extract(epoch from current_setting('deadlock_timeout')::interval) * 1000 else 0 end)::integer::text, true)`,
      [LOCK_TIMEOUT_MS, behindVacuum],
    )
    await client.query(sql)
    await client.query('reset role')
    await record()
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
}

/** Waits for locks as long as the run may: what belongs here takes none that reads or writes would queue behind. */
async function alone(
  client: Client,
  sql: string,
  lockTimeoutMs: number,
  record: () => Promise<unknown>,
): Promise<void> {
  await client.query(`set lock_timeout = ${Math.ceil(lockTimeoutMs)}; set statement_timeout = 0`)
  try {
    await dropInvalidIndexes(client)
    await client.query('set role hopwhistle_owner')
    await client.query(sql)
  } finally {
    await client.query('reset role').catch(() => {})
    await client.query('reset lock_timeout; reset statement_timeout').catch(() => {})
  }
  await record()
}

/** `create index concurrently` that was cut off leaves one, which `if not exists` would take for done. */
async function dropInvalidIndexes(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select i.indexrelid::regclass::text as name
     from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'hopwhistle' and not i.indisvalid and c.relkind = 'i'
       and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid)`,
  )
  for (const { name } of rows) await client.query(`drop index concurrently if exists ${name}`)
}
