import { createTally } from './tally.ts'

/**
 * Shares something of which an instance has only so much, like places in a queue, among its tenants.
 *
 * A tenant may hold up to `TIMES_FREE` times what is free: one tenant alone four fifths of everything, two greedy tenants four
 * ninths each. So there is always room for a tenant that holds nothing yet, and nothing has to be taken back.
 */
export type Shares = {
  /**
   * Takes so many, or none.
   *
   * @returns 'over-share' when the tenant holds too much itself; 'full' when others hold what is left
   */
  take(tenantId: string, count: number): Taken
  /** What `take` would say, without taking any. */
  ask(tenantId: string, count: number): Taken
  /** Takes so many, whatever `take` would say: of what is known only once it is there. `ask` says whether there may be more. */
  hold(tenantId: string, count: number): void
  give(tenantId: string, count: number): void
  held(tenantId: string): number
  total(): number
  /** The most that a tenant can have. */
  readonly mostOfOne: number
}

export type Taken = 'taken' | 'over-share' | 'full'

const TIMES_FREE = 4

/** @param max of all tenants together */
export function createShares(max: number): Shares {
  const holders = createTally()
  const mostOfOne = Math.max(1, Math.floor((max * TIMES_FREE) / (TIMES_FREE + 1)))

  function judge(tenantId: string, count: number): Taken {
    const free = max - holders.total()
    const own = holders.of(tenantId)
    if (count <= free && own + count <= TIMES_FREE * free) return 'taken'
    return own > 0 && own * holders.keys() >= holders.total() ? 'over-share' : 'full'
  }

  return {
    take: (tenantId, count) => {
      const taken = judge(tenantId, count)
      if (taken === 'taken') holders.add(tenantId, count)
      return taken
    },
    ask: judge,
    hold: holders.add,
    give: (tenantId, count) => holders.add(tenantId, -count),
    held: holders.of,
    total: holders.total,
    mostOfOne,
  }
}
