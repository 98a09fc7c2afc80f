/** Keeps what all tenants have in memory of their live messages below a bound: the one that has the most gives up some of it. */
export type HistoryBudget = {
  /** @param shrink gives up at least a half of what it has, and says so with `change` */
  join(shrink: () => void): HistoryShare
  bytes(): number
}

export type HistoryShare = {
  change(bytes: number): void
  leave(): void
}

export function createHistoryBudget(maxBytes: number): HistoryBudget {
  type Member = { bytes: number; readonly shrink: () => void }
  const members = new Set<Member>()
  let total = 0

  function fit(): void {
    while (total > maxBytes) {
      const before = total
      let biggest: Member | undefined
      for (const one of members) if (biggest === undefined || one.bytes > biggest.bytes) biggest = one
      biggest?.shrink()
      if (total >= before) return
    }
  }

  return {
    bytes: () => total,
    join: (shrink) => {
      const own: Member = { bytes: 0, shrink }
      members.add(own)
      return {
        change: (bytes) => {
          own.bytes += bytes
          total += bytes
          if (bytes > 0) fit()
        },
        leave: () => {
          members.delete(own)
          total -= own.bytes
          own.bytes = 0
        },
      }
    },
  }
}
