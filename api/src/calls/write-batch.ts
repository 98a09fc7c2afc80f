import { setTimeout as sleep } from 'node:timers/promises'
import { EVENT_BOUNDS } from '@hopwhistle/contract/calls.ts'
import { CallFull, DatabaseUnavailable, InvalidRequest } from '../errors/catalogue.ts'
import type { Problem } from '../errors/problem.ts'
import { remedyFor } from '../postgres/sqlstate.ts'
import type { Committed, ReceivedEvent } from './commit-batch.ts'
import { isCallFull } from './full-calls.ts'

/** Where batches are written, and for how long that is tried. */
export type BatchStore<E extends ReceivedEvent> = {
  /** `again`: this very batch was tried before, and may have been committed. */
  commit(batch: readonly E[], again: boolean): Promise<Committed>
  /** Those of a batch for which their calls have no room. */
  pastFullCalls(batch: readonly E[]): Promise<ReadonlySet<E>>
  /** Called before a batch is written again. @returns false to give up: the database has been away for too long */
  mayRepeat(batch: readonly E[], error: unknown, pauseMs: number): boolean
}

/** Some events of a batch, and what became of them. */
export type Written<E extends ReceivedEvent> =
  | { readonly events: readonly E[]; readonly committed: Committed }
  | { readonly events: readonly E[]; readonly refused: Problem }

/** A lost race is run again this often; each time, others have won theirs. */
const RACES_MAX = 10
const PAUSE_MAX_MS = 400

/**
 * Writes a batch, and yields each of its events once, as soon as its fate is known: committed, or refused with the reason.
 * Never throws.
 *
 * - The same event twice in a batch: the second goes in a transaction after the first, and finds it stored.
 * - A lost race (deadlock, serialization) is run again. While the database is away, the batch is tried again for as long as
 *   `mayRepeat` allows. Repeating is always safe, also when nobody knows whether the first attempt was committed: see
 *   `commitBatch`.
 * - What cannot be stored is found by halving, so that one bad event fails alone.
 * - What a call has no room for is refused; what of it was stored before is a duplicate as ever.
 */
export async function* writeBatch<E extends ReceivedEvent>(
  batch: readonly E[],
  store: BatchStore<E>,
): AsyncGenerator<Written<E>, void> {
  for (const round of roundsWithoutRepeats(batch)) yield* writeOrHalve(round, store)
}

async function* writeOrHalve<E extends ReceivedEvent>(
  events: readonly E[],
  store: BatchStore<E>,
  racesLeft = RACES_MAX,
): AsyncGenerator<Written<E>, void> {
  const committed = await commitWithRetries(events, store).catch((error: unknown) => ({ error }))
  if (!('error' in committed)) {
    yield { events, committed }
    return
  }
  const { error } = committed
  if (isCallFull(error)) yield* writeTheRest(events, store, error, racesLeft)
  else if (remedyFor(error) !== 'data') yield { events, refused: DatabaseUnavailable(error) }
  else if (events.length === 1) {
    const message = `cannot be stored: ${(error as Error).message}`
    yield { events, refused: InvalidRequest([{ field: 'event', message }]) }
  } else {
    const half = events.length >> 1
    yield* writeOrHalve(events.slice(0, half), store)
    yield* writeOrHalve(events.slice(half), store)
  }
}

/** Without what calls have no room for. Others may take the last of it meanwhile: then it is found out again. */
async function* writeTheRest<E extends ReceivedEvent>(
  events: readonly E[],
  store: BatchStore<E>,
  error: unknown,
  racesLeft: number,
): AsyncGenerator<Written<E>, void> {
  const past = racesLeft > 0 ? await store.pastFullCalls(events).catch(() => undefined) : undefined
  if (past === undefined) {
    yield { events, refused: DatabaseUnavailable(error) }
    return
  }
  for (const one of past) yield { events: [one], refused: CallFull(one.event.callId, EVENT_BOUNDS.eventsPerCall) }
  const rest = events.filter((one) => !past.has(one))
  if (rest.length > 0) yield* writeOrHalve(rest, store, racesLeft - 1)
}

async function commitWithRetries<E extends ReceivedEvent>(
  batch: readonly E[],
  store: BatchStore<E>,
): Promise<Committed> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await store.commit(batch, attempt > 1)
    } catch (error) {
      const remedy = remedyFor(error)
      if (remedy === 'data' || remedy === 'broken') throw error
      if (remedy === 'again' && attempt >= RACES_MAX) throw error
      // Half of the pause is chance, so that those who collided do not collide again.
      const pauseMs =
        Math.min(PAUSE_MAX_MS, (remedy === 'again' ? 2 : 25) * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)
      if (!store.mayRepeat(batch, error, pauseMs)) throw error
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
