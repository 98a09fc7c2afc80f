/**
 * Shares something of which an instance has only so much, like places in a queue, among its tenants.
 *
 * A tenant may hold as long as it holds less than `TIMES_FREE` times what is free: alone four fifths of all there is, two greedy
 * ones four ninths each. So there is always room for one who comes anew, and nothing has to be taken back from anyone.
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
  const holders = new Map<string, number>()
  const mostOfOne = Math.max(1, Math.floor((max * TIMES_FREE) / (TIMES_FREE + 1)))
  let total = 0
  const held = (tenantId: string): number => holders.get(tenantId) ?? 0

  function judge(tenantId: string, count: number): Taken {
    const free = max - total
    const own = held(tenantId)
    if (count <= free && own + count <= TIMES_FREE * free) return 'taken'
    return own > 0 && own * holders.size >= total ? 'over-share' : 'full'
  }

  return {
    take: (tenantId, count) => {
      const taken = judge(tenantId, count)
      if (taken !== 'taken') return taken
      holders.set(tenantId, held(tenantId) + count)
      total += count
      return taken
    },
    ask: judge,
    give: (tenantId, count) => {
      const left = held(tenantId) - count
      if (left > 0) holders.set(tenantId, left)
      else holders.delete(tenantId)
      total -= count
    },
    held,
    total: () => total,
    mostOfOne,
  }
}
