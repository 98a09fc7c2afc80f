/**
 * What one subscriber received, by offset: the offsets of a tenant have no holes, so that each loss, duplicate and
 * reordering shows.
 */
export type Ledger = {
  /** The highest offset settled. What comes next is due to begin right after it. */
  last: number
  /** Messages received, each counted once. */
  received: number
  /** Messages received again. */
  duplicated: number
  /** Messages that arrived after one with a higher offset. */
  reordered: number
  /** Offsets passed over and not arrived so far, as closed ranges. */
  missing: [from: number, to: number][]
}

/** A subscriber that is due everything after `offset`. */
export const openLedger = (offset: number): Ledger => ({
  last: offset,
  received: 0,
  duplicated: 0,
  reordered: 0,
  missing: [],
})

/** Enters a frame: `count` messages that settle the offsets `from` to `to`. */
export function settle(ledger: Ledger, from: number, to: number, count: number): void {
  if (from === ledger.last + 1) {
    ledger.last = to
    ledger.received += count
    return
  }
  if (from > ledger.last) {
    ledger.missing.push([ledger.last + 1, from - 1])
    ledger.last = to
    ledger.received += count
    return
  }
  // Some of it was settled before: it fills holes, or it has come twice.
  const fresh = Math.max(0, to - ledger.last)
  const filled = fill(ledger, from, Math.min(to, ledger.last))
  const left = Math.min(count, fresh + filled)
  ledger.received += left
  ledger.reordered += Math.min(filled, left)
  ledger.duplicated += count - left
  ledger.last = Math.max(ledger.last, to)
}

/** Whether an offset was received before, or is behind where the ledger began. */
export function isSettled({ last, missing }: Ledger, offset: number): boolean {
  return offset <= last && !missing.some(([from, to]) => from <= offset && offset <= to)
}

/** Enters that the server cannot give what lies up to `offset`. */
export function skipTo(ledger: Ledger, offset: number): void {
  if (offset > ledger.last) ledger.missing.push([ledger.last + 1, offset])
  ledger.last = Math.max(ledger.last, offset)
}

export function missingCount({ missing }: Ledger): number {
  return missing.reduce((sum, [from, to]) => sum + to - from + 1, 0)
}

/** How many offsets after this one were received. */
export function receivedAfter({ last, missing }: Ledger, offset: number): number {
  const missed = missing.reduce((sum, [from, to]) => sum + Math.max(0, to - Math.max(from, offset + 1) + 1), 0)
  return Math.max(0, last - offset - missed)
}

/** Takes a range out of what is missing. @returns how many offsets of it were missing */
function fill(ledger: Ledger, from: number, to: number): number {
  let filled = 0
  ledger.missing = ledger.missing.flatMap(([start, end]): [number, number][] => {
    const low = Math.max(start, from)
    const high = Math.min(end, to)
    if (low > high) return [[start, end]]
    filled += high - low + 1
    const rest: [number, number][] = []
    if (start < low) rest.push([start, low - 1])
    if (high < end) rest.push([high + 1, end])
    return rest
  })
  return filled
}
