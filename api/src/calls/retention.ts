import type { Pool } from 'pg'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { about, type Repeating, repeat } from '../timing/repeat.ts'

export type RetentionDependencies = {
  readonly upkeep: Pick<Pool, 'query'>
  /** Calls go so many days after their last event was received; 0 keeps them for ever. A tenant may have its own. */
  readonly keepDays: number
  /** How long the feed of changes goes back. */
  readonly keepChangesDays: number
  readonly metrics: Pick<Metrics, 'retentionCalls' | 'retentionEvents' | 'retentionPassed' | 'upkeepFailed'>
  readonly log: Log
  /** Between two looks whether there is something to do. */
  readonly lookEveryMs?: number
}

/** Calls of one portion: 6 ms of work for the primary. */
const PORTION = 200
const PASS_EVERY_MINUTES = 60
const LOOK_EVERY_MS = 60_000
const FIRST_LOOKS_SOONER = 8
/** It rests nine times as long as it worked, so that it takes a tenth of one core at most. */
const REST = 9
const REST_MIN_MS = 20

/**
 * Deletes calls that are too old, with their events, a small portion at a time; rollups of tenants that do not keep
 * them for ever; and changes that the feed need not have any more. Runs on every instance; the database
 * lets one at a time do it, and remembers how far it came.
 */
export function startRetention({ lookEveryMs = LOOK_EVERY_MS, ...deps }: RetentionDependencies): Repeating {
  // The first look comes soon, so that metrics say before long when old calls were last found deleted.
  return repeat(async () => {
    const startedAt = performance.now()
    try {
      const { finished } = await forgetPortion(deps)
      if (!finished) return Math.max(REST_MIN_MS, REST * (performance.now() - startedAt))
    } catch (error) {
      deps.metrics.upkeepFailed.inc({ task: 'retention' })
      deps.log.warn({ err: error }, 'old calls were not deleted; they will be')
    }
    return about(lookEveryMs)
  }, about(lookEveryMs) / FIRST_LOOKS_SOONER)
}

export type Portion = {
  readonly calls: number
  readonly events: number
  /** There is nothing more to do for now. */
  readonly finished: boolean
}

/** @throws when the database does not answer; nothing is lost by it */
export async function forgetPortion(deps: RetentionDependencies, portion = PORTION): Promise<Portion> {
  const { rows } = await deps.upkeep.query<Portion & { readonly passed_at: Date | null }>(
    `select calls, events, finished, passed_at
     from hopwhistle.forget_old_calls($1 * interval '1 day', $2 * interval '1 minute', $3)`,
    [deps.keepDays, PASS_EVERY_MINUTES, portion],
  )
  const [{ calls, events, finished, passed_at: passedAt } = { calls: 0, events: 0, finished: true, passed_at: null }] =
    rows
  deps.metrics.retentionCalls.inc(calls)
  deps.metrics.retentionEvents.inc(events)
  if (passedAt !== null) deps.metrics.retentionPassed.set(passedAt.getTime() / 1000)
  const changes = await deps.upkeep.query<{ readonly gone: number }>(
    `select hopwhistle.forget_old_changes($1 * interval '1 day', $2) as gone`,
    [deps.keepChangesDays, portion],
  )
  return { calls, events, finished: finished && (changes.rows[0]?.gone ?? 0) < portion }
}
