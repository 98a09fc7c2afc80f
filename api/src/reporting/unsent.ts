import type { ServerResponse } from 'node:http'
import { createShares } from '../access/shares.ts'
import { MemoryFull, OverShare } from '../errors/catalogue.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** Answers that clients have not read to their end, below a bound for all of them together. */
export type Unsent = {
  /** Counts an answer until it has left; one that several are sent at the same time counts once. @throws {OverShare | MemoryFull} */
  take(tenantId: string, body: Buffer, response: ServerResponse): void
  /** Counts what a streamed answer keeps at most, until it has left. @throws {OverShare | MemoryFull} */
  hold(tenantId: string, bytes: number, response: ServerResponse): void
}

export function createUnsent(maxBytes: number, metrics: Pick<Metrics, 'rejected'>): Unsent {
  const shares = createShares(maxBytes)
  const readers = new Map<Buffer, number>()

  function count(tenantId: string, bytes: number): void {
    const taken = shares.take(tenantId, bytes)
    if (taken === 'taken') return
    const problem = taken === 'full' ? MemoryFull() : OverShare('bytes of answers that nobody has read')
    metrics.rejected.inc({ reason: problem.code })
    throw problem
  }

  return {
    take: (tenantId, body, response) => {
      // Nobody waits for it any more.
      if (response.destroyed) return
      const others = readers.get(body) ?? 0
      if (others === 0) count(tenantId, body.length)
      readers.set(body, others + 1)
      response.on('close', () => {
        const left = (readers.get(body) ?? 1) - 1
        if (left > 0) return void readers.set(body, left)
        readers.delete(body)
        shares.give(tenantId, body.length)
      })
    },
    hold: (tenantId, bytes, response) => {
      if (response.destroyed) return
      count(tenantId, bytes)
      response.on('close', () => shares.give(tenantId, bytes))
    },
  }
}
