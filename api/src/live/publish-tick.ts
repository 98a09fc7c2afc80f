/**
 * Milliseconds until a tenant's messages are to be published the next time, whole; 0 where there are no ticks.
 *
 * Every instance has a tenant's ticks at the same times of day, so that what all of them publish comes to each of them
 * within a moment, and is sent on in one frame: a message waits for one tick, not for one to be published and another to be
 * sent. Clocks that do not agree bring more frames, of which the fan-out bounds the number.
 */
export type UntilPublish = (tenantId: string) => number

/** A tick that is closer than this share of the time between two is left out: what has just gone out needs no second call. */
const TOO_CLOSE = 1 / 4

/** @param tickMs from one tick of a tenant to its next; 0: there are none */
export function publishTick(tickMs: number, now: () => number = Date.now): UntilPublish {
  return (tenantId) => {
    if (tickMs === 0) return 0
    const leftMs = tickMs - ((now() + phaseOf(tenantId)) % tickMs)
    return leftMs < tickMs * TOO_CLOSE ? leftMs + tickMs : leftMs
  }
}

/** Spreads the work of many tenants over the tick. */
const phaseOf = (tenantId: string): number => Number.parseInt(tenantId.slice(0, 8), 16)
