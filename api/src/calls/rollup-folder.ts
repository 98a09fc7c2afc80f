/**
 * Folds what is pending into the rollups: about once a second a pass over all tenants, in steps that are transactions
 * of their own. Tenants take turns, so that the longest backlog delays no other tenant's.
 *
 *   idle ──something is pending, and no other instance is at it──▶ pass ──every tenant is at its end──▶ idle
 *
 * idle  looks whether something is pending: after a change of its own, and every ten seconds
 * pass  takes a step, rests for as long as the step took, takes the next. A tenant whose rows cannot be folded is left
 *       out for the rest of the pass
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import { COMMIT_HERE } from '../postgres/replicated.ts'
import { remedyFor } from '../postgres/sqlstate.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { about, repeat } from '../timing/repeat.ts'

export type FoldDependencies = {
  readonly upkeep: Pick<Pool, 'query'>
  readonly metrics: Pick<Metrics, 'rollupsPending' | 'rollupsFolded' | 'rollupsFoldedUntil' | 'upkeepFailed'>
  readonly log: Log
}

export type RollupFolder = {
  /** Tells that calls have changed, so that there is something to fold. */
  changed(): void
  stop(): Promise<void>
}

const EVERY_MS = 1_000
/** Folds even if this instance changed nothing: another may have, and gone. */
const IDLE_ROUNDS_MAX = 10
/** Rows of one step. Where each is of another hour, a row takes half a millisecond. */
const STEP_ROWS = 1_000
/** Rows of one tenant in one step while others wait: they wait for as many at most, and not for all. */
const TURN_ROWS = 200
const REST_MAX_MS = 1_000

/**
 * Any number of instances may run one: the database lets one at a time make a pass. Reports are right with or without
 * it, it only keeps what they add up small.
 */
export function startRollupFolder(deps: FoldDependencies): RollupFolder {
  let dirty = true
  let splitting = true
  let idleRounds = 0
  const stopping = new AbortController()
  async function fold(): Promise<number> {
    idleRounds += 1
    if (!dirty && idleRounds < IDLE_ROUNDS_MAX) return about(EVERY_MS)
    dirty = false
    idleRounds = 0
    try {
      const { complete } = await foldPass(deps, stopping.signal)
      if (splitting) splitting = !(await splitHours(deps, stopping.signal))
      if (!complete || splitting) dirty = true
    } catch (error) {
      dirty = true
      deps.metrics.upkeepFailed.inc({ task: 'folding' })
      deps.log.warn({ err: error }, 'rollups were not folded; reports add up more')
    }
    return about(EVERY_MS)
  }
  const repeating = repeat(fold, about(EVERY_MS))
  return {
    changed: () => {
      dirty = true
    },
    stop: () => {
      stopping.abort()
      return repeating.stop()
    },
  }
}

export type Pass = {
  readonly rows: number
  readonly steps: number
  /** Everything that was committed before the pass is folded, by this instance or by another. */
  readonly complete: boolean
}

/** One pass over what is pending. @throws when the database does not answer; nothing is lost by it */
export async function foldPass(deps: FoldDependencies, stopping?: AbortSignal): Promise<Pass> {
  const { upkeep, metrics } = deps
  const began = await beginPass(deps)
  if (!began.mayFold) return { rows: 0, steps: 0, complete: began.pending === 0 }

  let turns = began.turns
  let rows = 0
  let steps = 0
  let interrupted = false
  let failed = false
  while (turns.length > 0 && !interrupted) {
    const startedAt = performance.now()
    const [step, waiting] = nextStep(turns)
    const taken = await foldStep(deps, step)
    steps += 1
    if (taken === 'busy') interrupted = true
    else {
      rows += taken.rows
      failed ||= taken.failed
      turns = [...waiting, ...taken.unfinished]
      metrics.rollupsFolded.inc(taken.rows)
      metrics.rollupsPending.set(Math.max(0, began.pending - rows))
      interrupted = stopping?.aborted ?? false
    }
    if (turns.length > 0 && !interrupted) await rest(performance.now() - startedAt, stopping)
  }
  const complete = !interrupted && !failed
  await upkeep.query(`select ${COMMIT_HERE}, hopwhistle.end_fold_pass($1)`, [complete ? began.at : null])
  if (complete) metrics.rollupsFoldedUntil.set(began.at.getTime() / 1000)
  return { rows, steps, complete }
}

/** A tenant that has rows pending. */
type Turn = {
  readonly tenantId: string
  /** What is before is folded. */
  readonly fromHour: string | Date
  /** About how many rows are left: as many as were there when the pass began, less what was taken. */
  readonly left: number
}

type Began = { readonly mayFold: boolean; readonly at: Date; readonly pending: number; readonly turns: readonly Turn[] }

async function beginPass({ upkeep, metrics }: FoldDependencies): Promise<Began> {
  const { rows } = await upkeep.query<{
    readonly may_fold: boolean
    readonly began_at: Date
    readonly folded_until: Date | null
    readonly pending: string
    readonly tenants: readonly string[] | null
    readonly counts: readonly number[] | null
  }>('select * from hopwhistle.begin_fold_pass()')
  const [row] = rows
  if (row === undefined) throw new Error('begin_fold_pass answered nothing')
  const pending = Number(row.pending)
  metrics.rollupsPending.set(pending)
  if (row.folded_until !== null) metrics.rollupsFoldedUntil.set(row.folded_until.getTime() / 1000)
  return {
    mayFold: row.may_fold,
    at: row.began_at,
    pending,
    turns: (row.tenants ?? []).map((tenantId, i) => ({
      tenantId,
      fromHour: '-infinity',
      left: row.counts?.[i] ?? 1,
    })),
  }
}

/** The turns at the front that fit one step, and those that wait for the next. */
function nextStep(turns: readonly Turn[]): readonly [readonly Turn[], readonly Turn[]] {
  let room = STEP_ROWS
  let fits = 0
  for (const { left } of turns) {
    room -= Math.min(Math.max(left, 1), TURN_ROWS)
    if (room < 0 && fits > 0) break
    fits += 1
  }
  return [turns.slice(0, fits), turns.slice(fits)]
}

type Taken = { readonly rows: number; readonly unfinished: readonly Turn[]; readonly failed: boolean }

async function foldStep(deps: FoldDependencies, step: readonly Turn[]): Promise<Taken | 'busy'> {
  try {
    return await askStep(deps, step)
  } catch (error) {
    if (remedyFor(error) !== 'data') throw error
    if (step.length > 1) return foldEach(deps, step)
    deps.metrics.upkeepFailed.inc({ task: 'folding' })
    deps.log.warn({ err: error, tenantId: step[0]?.tenantId }, 'what is pending of a tenant cannot be folded')
    return { rows: 0, unfinished: [], failed: true }
  }
}

/** One by one, so that the one that cannot be folded keeps none of the others. */
async function foldEach(deps: FoldDependencies, step: readonly Turn[]): Promise<Taken | 'busy'> {
  const all = { rows: 0, unfinished: [] as Turn[], failed: false }
  for (const turn of step) {
    const taken = await foldStep(deps, [turn])
    if (taken === 'busy') return 'busy'
    all.rows += taken.rows
    all.unfinished.push(...taken.unfinished)
    all.failed ||= taken.failed
  }
  return all
}

async function askStep({ upkeep }: FoldDependencies, step: readonly Turn[]): Promise<Taken | 'busy'> {
  const turnRows = Math.max(TURN_ROWS, Math.floor(STEP_ROWS / step.length))
  const { rows } = await upkeep.query<{
    readonly tenant_id: string | null
    readonly folded: number
    readonly last_hour: Date
  }>('select * from hopwhistle.fold_call_metrics($1, $2, $3, $4)', [
    step.map(({ tenantId }) => tenantId),
    step.map(({ fromHour }) => fromHour),
    turnRows,
    STEP_ROWS,
  ])
  if (rows[0]?.tenant_id === null) return 'busy'
  const folded = rows.reduce((sum, row) => sum + row.folded, 0)
  const byTenant = new Map(rows.map((row) => [row.tenant_id, row]))
  const unfinished = step.flatMap((turn): Turn[] => {
    const row = byTenant.get(turn.tenantId)
    // The step was full before it came to the end of this tenant.
    if ((row?.folded ?? 0) < turnRows && folded < STEP_ROWS) return []
    if (row === undefined) return [turn]
    return [{ ...turn, fromHour: row.last_hour, left: turn.left - row.folded }]
  })
  return { rows: folded, unfinished, failed: false }
}

/** How long hours are split before folding has its turn again. */
const SPLIT_MS = 1_000

/**
 * Makes the quarters of hours that were counted before there were any (see hopwhistle.split_hour), one hour a transaction.
 *
 * @returns true when no hour is left
 */
async function splitHours({ upkeep }: FoldDependencies, stopping: AbortSignal): Promise<boolean> {
  const until = performance.now() + SPLIT_MS
  while (performance.now() < until && !stopping.aborted) {
    const startedAt = performance.now()
    const { rows } = await upkeep.query<{ readonly tenant_id: string | null; readonly finished: boolean }>(
      'select tenant_id, finished from hopwhistle.split_hour()',
    )
    if (rows[0]?.finished === true) return true
    // Another instance folds, or something is pending that was counted by the hour.
    if (rows[0]?.tenant_id == null) return false
    await rest(performance.now() - startedAt, stopping)
  }
  return false
}

async function rest(ms: number, stopping: AbortSignal | undefined): Promise<void> {
  await sleep(Math.min(ms, REST_MAX_MS), undefined, { ref: false, ...(stopping && { signal: stopping }) }).catch(
    () => {},
  )
}
