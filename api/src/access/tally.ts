/** Counts by key; a key that counts nothing is forgotten. */
export type Tally = {
  of(key: string): number
  /** @param change may be negative */
  add(key: string, change: number): void
  /** How many keys count something. */
  keys(): number
  total(): number
}

export function createTally(): Tally {
  const counts = new Map<string, number>()
  let total = 0
  const of = (key: string): number => counts.get(key) ?? 0
  return {
    of,
    add: (key, change) => {
      const count = of(key) + change
      if (count > 0) counts.set(key, count)
      else counts.delete(key)
      total += change
    },
    keys: () => counts.size,
    total: () => total,
  }
}
