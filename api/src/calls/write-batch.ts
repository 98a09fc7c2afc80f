import { setTimeout as sleep } from 'node:timers/promises'
import { EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { CallFull, DatabaseUnavailable, InvalidRequest } from '../errors/catalogue.ts'
import { remedyFor } from '../postgres/sqlstate.ts'
import type { Committed, ReceivedEvent } from './commit-batch.ts'
import { isCallFull } from './full-calls.ts'

export type BatchWriter<E extends ReceivedEvent> = {
  /** `again`: this very batch was tried before, and may have been committed. */
  commit(batch: readonly E[], again: boolean): Promise<Committed>
  /** Those of a batch for which their calls have no room. */
  pastFullCalls(batch: readonly E[]): Promise<ReadonlySet<E>>
  onCommitted(batch: readonly E[], committed: Committed): void
  onRefused(event: E, problem: Error): void
  onRetry(error: unknown): void
  /** `performance.now()` after which an attempt is not repeated for want of the database. */
  giveUpAt(): number
}

/** A lost race is run again this often; each time, others have won theirs. */
const RACES_MAX = 10
const PAUSE_MAX_MS = 400

/**
 * Writes a batch and settles each of its events: committed, or refused with the reason. Never rejects.
 *
 * - The same event twice in a batch: the second goes in a transaction after the first, and finds it stored.
 * - A lost race (deadlock, serialization) is run again, the database being away is waited for, until `giveUpAt`.
 *   Repeating is always safe, also when nobody knows whether the first attempt was committed: see `commitBatch`.
 * - What cannot be stored is found by halving, so that one bad event fails alone.
 * - What a call has no room for is refused; what of it was stored before is a duplicate as ever.
 */
export async function writeBatch<E extends ReceivedEvent>(batch: readonly E[], writer: BatchWriter<E>): Promise<void> {
  for (const round of roundsWithoutRepeats(batch)) await writeOrHalve(round, writer)
}

async function writeOrHalve<E extends ReceivedEvent>(
  batch: readonly E[],
  writer: BatchWriter<E>,
  racesLeft = RACES_MAX,
): Promise<void> {
  try {
    writer.onCommitted(batch, await commitWithRetries(batch, writer))
  } catch (error) {
    if (isCallFull(error)) await writeTheRest(batch, writer, error, racesLeft)
    else if (remedyFor(error) !== 'data') {
      for (const event of batch) writer.onRefused(event, DatabaseUnavailable(error))
    } else if (batch.length === 1) {
      const message = `cannot be stored: ${(error as Error).message}`
      writer.onRefused(batch[0] as E, InvalidRequest([{ field: 'event', message }]))
    } else {
      const half = batch.length >> 1
      await writeOrHalve(batch.slice(0, half), writer)
      await writeOrHalve(batch.slice(half), writer)
    }
  }
}

/** Without what calls have no room for. Others may take the last of it meanwhile: then it is found out again. */
async function writeTheRest<E extends ReceivedEvent>(
  batch: readonly E[],
  writer: BatchWriter<E>,
  error: unknown,
  racesLeft: number,
): Promise<void> {
  const past = racesLeft > 0 ? await writer.pastFullCalls(batch).catch(() => undefined) : undefined
  if (past === undefined) {
    for (const event of batch) writer.onRefused(event, DatabaseUnavailable(error))
    return
  }
  for (const one of past) writer.onRefused(one, CallFull(one.event.callId, EVENT_BOUNDS.eventsPerCall))
  const rest = batch.filter((one) => !past.has(one))
  if (rest.length > 0) await writeOrHalve(rest, writer, racesLeft - 1)
}

async function commitWithRetries<E extends ReceivedEvent>(
  batch: readonly E[],
  writer: BatchWriter<E>,
): Promise<Committed> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await writer.commit(batch, attempt > 1)
    } catch (error) {
      const remedy = remedyFor(error)
      if (remedy === 'data' || remedy === 'broken') throw error
      if (remedy === 'again' && attempt >= RACES_MAX) throw error
      // Half of the pause is chance, so that those who collided do not collide again.
      const pauseMs =
        Math.min(PAUSE_MAX_MS, (remedy === 'again' ? 2 : 25) * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)
      if (performance.now() + pauseMs > writer.giveUpAt()) throw error
      writer.onRetry(error)
      await sleep(pauseMs)
    }
  }
}

/** Splits a batch so that no round has an event id of a tenant twice; repeats keep their order. */
export function roundsWithoutRepeats<E extends ReceivedEvent>(batch: readonly E[]): readonly (readonly E[])[] {
  const seen = new Map<string, number>()
  let rounds: E[][] | undefined
  batch.forEach((item, i) => {
    const key = item.tenantId + item.event.eventId
    const round = seen.get(key) ?? 0
    seen.set(key, round + 1)
    if (round > 0) rounds ??= [batch.slice(0, i)]
    if (rounds === undefined) return
    while (rounds.length <= round) rounds.push([])
    rounds[round]?.push(item)
  })
  return rounds ?? [batch]
}
