import { performance } from 'node:perf_hooks'
import type { LimitName } from '@hopwhistle/contract/limits.ts'
import type { Metrics } from './metrics.ts'
import { steady } from './recent.ts'

/** What is used of each limit, in its own unit; undefined while nobody knows. */
export type UsageReaders = Partial<Readonly<Record<LimitName, () => number | undefined>>>

/**
 * Sets each limit once, and returns what sets each usage and the event loop's share, to be called before a scrape.
 *
 * @param read what some of them must ask for first; never rejects
 */
export function usageGauges(
  metrics: Metrics,
  limits: Readonly<Record<LimitName, number>>,
  readers: UsageReaders,
  read: () => Promise<unknown>,
): () => Promise<void> {
  for (const [resource, value] of Object.entries(limits)) metrics.limit.set({ resource }, value)
  let last = performance.eventLoopUtilization()
  const eventLoop = steady(() => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  })
  return async () => {
    await read()
    for (const [resource, read] of Object.entries(readers)) {
      const used = read()
      if (used === undefined) metrics.usage.remove({ resource })
      else metrics.usage.set({ resource }, used)
    }
    metrics.eventLoopUtilization.set(eventLoop())
  }
}
