/**
 * Runs a few things at a time, and lets tenants take turns with them, whoever has how many.
 *
 * One tenant runs no more than three quarters of them, also when nobody else waits: who comes anew finds one that is free, and
 * does not wait for what is slow.
 */
export type Turns = {
  run<T>(tenantId: string, work: () => Promise<T>): Promise<T>
}

/** @param atOnce how many run at a time; it may change */
export function createTurns(atOnce: () => number): Turns {
  const running = new Map<string, number>()
  let total = 0
  // In the order of their next turns.
  const waiting = new Map<string, (() => void)[]>()

  function mayRun(tenantId: string): boolean {
    const most = atOnce()
    return total < most && (running.get(tenantId) ?? 0) < Math.max(1, most - Math.ceil(most / 4))
  }
  function count(tenantId: string, change: 1 | -1): void {
    const own = (running.get(tenantId) ?? 0) + change
    if (own > 0) running.set(tenantId, own)
    else running.delete(tenantId)
    total += change
  }
  function next(): void {
    for (const [tenantId, queue] of [...waiting]) {
      if (total >= atOnce()) return
      if (!mayRun(tenantId)) continue
      waiting.delete(tenantId)
      count(tenantId, 1)
      queue.shift()?.()
      if (queue.length > 0) waiting.set(tenantId, queue)
    }
  }

  return {
    run: async (tenantId, work) => {
      if (waiting.size === 0 && mayRun(tenantId)) count(tenantId, 1)
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
        count(tenantId, -1)
        next()
      }
    },
  }
}
