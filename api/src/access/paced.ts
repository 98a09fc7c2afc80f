import { waitingInTurns } from './waiting.ts'

/**
 * Runs work that keeps the event loop busy for milliseconds: one piece in each turn of the loop, so that everything else that
 * is ready comes between two of them. Tenants take turns.
 */
export type Paced = {
  /** @param work does not throw */
  run(tenantId: string, work: () => void): void
}

export function createPaced(): Paced {
  const waiting = waitingInTurns<{ readonly tenantId: string; readonly work: () => void }>()
  let hasRunInThisTurn = false

  function runNext(): void {
    hasRunInThisTurn = waiting.size() > 0
    if (!hasRunInThisTurn) return
    setImmediate(runNext)
    for (const { work } of waiting.take(1)) work()
  }

  return {
    run: (tenantId, work) => {
      waiting.push({ tenantId, work })
      if (!hasRunInThisTurn) runNext()
    },
  }
}
