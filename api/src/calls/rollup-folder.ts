import type { Pool } from 'pg'
import type { Log } from '../telemetry/log.ts'
import { repeat } from './repeat.ts'

export type RollupFolder = {
  /** Tells that calls have changed, so that there is something to fold. */
  changed(): void
  stop(): Promise<void>
}

const EVERY_MS = 1_000
/** Folds even if this instance changed nothing: another may have, and gone. */
const IDLE_ROUNDS_MAX = 10

/**
 * Has what is pending folded into the rollups about once a second. Any number of instances may: the database lets one
 * at a time do it. Reports are right with or without it, it only keeps what they add up small.
 */
export function startRollupFolder(upkeep: Pick<Pool, 'query'>, log: Log): RollupFolder {
  let dirty = true
  let idleRounds = 0
  async function fold(): Promise<void> {
    idleRounds += 1
    if (!dirty && idleRounds < IDLE_ROUNDS_MAX) return
    dirty = false
    idleRounds = 0
    try {
      await upkeep.query('select hopwhistle.fold_call_metrics()')
    } catch (error) {
      dirty = true
      log.warn({ err: error }, 'rollups were not folded; reports add up more')
    }
  }
  // Instances that started together do not stay in step.
  const repeating = repeat(() => EVERY_MS * (0.75 + Math.random() / 2), fold)
  return {
    changed: () => {
      dirty = true
    },
    stop: repeating.stop,
  }
}
