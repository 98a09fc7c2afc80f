import { createTicker } from '../timing/ticker.ts'

/** What the heartbeat needs of a connection. */
export type Beating = {
  /** Asks the other end for a sign of life. */
  ping(): void
  /** It gave none since it was asked. */
  cut(): void
}

export type Heartbeat<T> = {
  add(one: T): void
  remove(one: T): void
  /** A sign of life. */
  heard(one: T): void
  stop(): void
}

/** Asks every connection once in `everyMs`, spread out in time, and cuts those that did not answer until the next time. */
export function createHeartbeat<T extends Beating>(everyMs: number): Heartbeat<T> {
  const slots = Array.from({ length: 25 }, () => new Set<T>())
  const slotOf = new Map<T, Set<T>>()
  const silent = new Set<T>()
  let added = 0
  let turn = 0

  const beating = createTicker(everyMs / slots.length, () => {
    turn = (turn + 1) % slots.length
    for (const one of slots[turn] ?? []) {
      if (silent.has(one)) one.cut()
      else {
        silent.add(one)
        one.ping()
      }
    }
    return slotOf.size > 0
  })

  return {
    add: (one) => {
      const slot = slots[added++ % slots.length]!
      slot.add(one)
      slotOf.set(one, slot)
      beating.wake()
    },
    remove: (one) => {
      slotOf.get(one)?.delete(one)
      slotOf.delete(one)
      silent.delete(one)
    },
    heard: (one) => void silent.delete(one),
    stop: beating.stop,
  }
}
