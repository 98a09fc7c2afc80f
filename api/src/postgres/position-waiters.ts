import { setTimeout as sleep } from 'node:timers/promises'
import type { WalPosition } from './wal-position.ts'

export type PositionWaiters = {
  /** Waits until the replica has replayed `position`: true; false at the deadline, or as soon as it is given up. */
  wait(position: WalPosition, timeoutMs: number): Promise<boolean>
  /** To be called whenever the replica is known to be further. */
  reached(position: WalPosition): void
  /** The replica will not get there: every waiter is notified. */
  giveUp(): void
}

const POLL_MS = 5

/**
 * Everyone who waits for the replica, behind one loop that asks it: a thousand waiting reports cost it no more
 * than one. The loop runs only while somebody waits, asks at once and then every 5 ms.
 *
 * @param ask asks the replica and calls `reached`; settles when it is answered or never will be
 */
export function createPositionWaiters(ask: () => Promise<void>): PositionWaiters {
  type Waiter = { readonly position: WalPosition; readonly settle: (reached: boolean) => void }
  const waiters = new Set<Waiter>()
  let looping = false

  async function loop(): Promise<void> {
    if (looping) return
    looping = true
    while (waiters.size > 0) {
      await ask()
      if (waiters.size > 0) await sleep(POLL_MS)
    }
    looping = false
  }

  return {
    wait: (position, timeoutMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => waiter.settle(false), timeoutMs)
        const waiter: Waiter = {
          position,
          settle: (reached) => {
            clearTimeout(timer)
            waiters.delete(waiter)
            resolve(reached)
          },
        }
        waiters.add(waiter)
        void loop()
      }),
    reached: (position) => {
      for (const waiter of waiters) if (waiter.position <= position) waiter.settle(true)
    },
    giveUp: () => {
      for (const waiter of waiters) waiter.settle(false)
    },
  }
}
