import { createTally } from './tally.ts'

/**
 * Runs a limited number of things at a time. Tenants take turns, however many things each of them has.
 *
 * One tenant runs at most three quarters of that number, also when nobody else waits. So another tenant finds a free place at
 * once, and does not wait for what is slow.
 */
export type Turns = {
  run<T>(tenantId: string, work: () => Promise<T>): Promise<T>
}

/** @param atOnce how many run at a time; it may change */
export function createTurns(atOnce: () => number): Turns {
  const running = createTally()
  // In the order of their next turns.
  const waiting = new Map<string, (() => void)[]>()

  function mayRun(tenantId: string): boolean {
    const most = atOnce()
    return running.total() < most && running.of(tenantId) < Math.max(1, most - Math.ceil(most / 4))
  }
  function next(): void {
    for (const [tenantId, queue] of [...waiting]) {
      if (running.total() >= atOnce()) return
      if (!mayRun(tenantId)) continue
      waiting.delete(tenantId)
      running.add(tenantId, 1)
      queue.shift()?.()
      if (queue.length > 0) waiting.set(tenantId, queue)
    }
  }

  return {
    run: async (tenantId, work) => {
      if (waiting.size === 0 && mayRun(tenantId)) running.add(tenantId, 1)
      else {
        const turn = new Promise<void>((resolve) => {
          const queue = waiting.get(tenantId) ?? []
          queue.push(resolve)
          waiting.set(tenantId, queue)
        })
        next()
        await turn
      }
      try {
        return await work()
      } finally {
        running.add(tenantId, -1)
        next()
      }
    },
  }
}
