/**
 * Gathers the items of many tenants into batches and writes a few batches at a time, so that no tenant waits for another's flood.
 *
 *   open ──drain()──▶ draining ──last write──▶ closed
 *
 *   open      accepts items; past `max`, or past a tenant's share of it, it accepts none
 *   draining  accepts none, writes those it has, without waiting for company
 *   closed    everything accepted has been written or refused
 *
 * Items leave by one of two lanes, whose batches never mix:
 * - few   of a tenant that has at most `FEW` items here. They leave together with those of other tenants.
 * - many  of a tenant that has more. Each batch has one tenant's items, and the tenants take turns.
 * The many have at most half of the writes in flight, and the few leave at least one to them. While other tenants send few,
 * the many have one write in flight, of a quarter of `batchMax`: a large one keeps the database's cores and its log busy.
 *
 * When a batch leaves: when it is full, when the queue drains, or when both of these hold.
 * - It has company: at least `ENOUGH` items, or its first item has waited `waitMs` (not at all while waiting brings
 *   nobody, see company.ts). A commit of one item costs nearly as much as one of ten.
 * - It keeps its distance: with one write of its lane in flight, its first item has waited a quarter of `waitMs`; with two,
 *   half of it; with three, all of it; and fewer than `inFlightMax` are in flight. So one slow write does not hold up
 *   everyone, and a busy server makes few large batches: what arrives during a write leaves together.
 */
import { createShares, type Taken } from '../access/shares.ts'
import { createTally } from '../access/tally.ts'
import { type Waiting, waitingInOrder, waitingInTurns } from '../access/waiting.ts'
import { createCompany } from './company.ts'

export type BatchQueueSettings = {
  /** Items that are waiting or being written. */
  readonly max: number
  readonly batchMax: number
  /** The longest that an item waits for others while fewer than `inFlightMax` writes are in flight. */
  readonly waitMs: number
  readonly inFlightMax: number
}

export type BatchQueue<T> = {
  /** Anything but 'taken' says why the item was not taken. */
  push(item: T): Taken | 'closed'
  /** What `push` would say to an item of a tenant. */
  ask(tenantId: string): Taken | 'closed'
  /** Keeps room for so many items of a tenant, or for the most that it can have, until they come. */
  reserve(tenantId: string, count: number): Reserved | Exclude<Taken, 'taken'> | 'closed'
  /** Items waiting or being written. */
  size(): number
  /** Resolves when it is closed. */
  drain(): Promise<void>
}

export type Reserved = { /** Once, and before they are pushed. */ release(): void }

/** Items among which the cost of a commit is small next to their own. */
const ENOUGH = 8
/** So many items of a tenant hardly delay those of others. */
const FEW = 32
/** So long after the last of the few the many have more and larger writes again. */
const RECENT_MS = 250

/** @param write settles every item itself, and never rejects */
export function createBatchQueue<T extends { readonly tenantId: string }>(
  settings: BatchQueueSettings,
  write: (batch: readonly T[]) => Promise<void>,
): BatchQueue<T> {
  const { max, batchMax, waitMs, inFlightMax } = settings
  let state: 'open' | 'draining' | 'closed' = 'open'
  const shares = createShares(max)
  const lane = (waiting: Waiting<T>) => ({
    waiting,
    company: createCompany(waitMs),
    /** Of each tenant that has any: items waiting or being written. */
    held: createTally(),
    firstAt: 0,
    lastAt: 0,
    inFlight: 0,
  })
  type Lane = ReturnType<typeof lane>
  const few = lane(waitingInOrder())
  const many = lane(waitingInTurns())
  let next: Lane = few
  let fewBesideManyAt = Number.NEGATIVE_INFINITY
  let soon = false
  let timer: NodeJS.Timeout | undefined
  let closed = () => {}
  const whenClosed = new Promise<void>((resolve) => {
    closed = resolve
  })
  const size = () => few.held.total() + many.held.total()
  const other = (one: Lane): Lane => (one === few ? many : few)

  /** Once a tenant has many, the rest of them go there too, until none of those is left. */
  function laneOf(tenantId: string): Lane {
    return many.held.of(tenantId) > 0 || few.held.of(tenantId) >= FEW ? many : few
  }

  const yields = (one: Lane): boolean => one === many && performance.now() - fewBesideManyAt < RECENT_MS

  /** How many of the writes in flight a lane leaves to the other. */
  function leaves(one: Lane): number {
    if (one === few) return many.waiting.size() > 0 ? 1 : 0
    return yields(one) ? inFlightMax - 1 : Math.floor(inFlightMax / 2)
  }

  function mayWrite(one: Lane): boolean {
    return few.inFlight + many.inFlight < inFlightMax && one.inFlight < Math.max(1, inFlightMax - leaves(one))
  }

  /** Milliseconds until the items that wait in a lane may leave, as things stand; 0 or less: now. */
  function leftMs({ waiting, company, inFlight, firstAt }: Lane): number {
    if (waiting.size() >= batchMax || state === 'draining') return 0
    const distanceMs = inFlight === 0 ? 0 : waitMs * 2 ** (inFlight - 3)
    const companyMs = waiting.size() >= ENOUGH ? 0 : company.patienceMs()
    return Math.max(distanceMs, companyMs) - (performance.now() - firstAt)
  }

  function leave(one: Lane): void {
    const batch = one.waiting.take(yields(one) ? Math.ceil(batchMax / 4) : batchMax)
    const now = performance.now()
    one.company.left(now - one.firstAt, one.lastAt - one.firstAt)
    one.firstAt = now
    one.inFlight += 1
    // Not those of a tenant that has many: their first items come this way, too.
    const ofOthers = one === few && many.held.total() > 0 && batch.some(({ tenantId }) => many.held.of(tenantId) === 0)
    if (ofOthers) fewBesideManyAt = now
    next = other(one)
    void write(batch).finally(() => {
      one.inFlight -= 1
      for (const { tenantId } of batch) {
        shares.give(tenantId, 1)
        one.held.add(tenantId, -1)
      }
      lookSoon()
    })
  }

  function look(): void {
    soon = false
    clearTimeout(timer)
    timer = undefined
    let inMs = Number.POSITIVE_INFINITY
    for (const one of [next, other(next)]) {
      while (one.waiting.size() > 0 && mayWrite(one)) {
        const oneInMs = leftMs(one)
        inMs = Math.min(inMs, oneInMs > 0 ? oneInMs : inMs)
        if (oneInMs > 0) break
        leave(one)
      }
    }
    if (inMs !== Number.POSITIVE_INFINITY) timer = setTimeout(look, inMs)
    if (state === 'draining' && size() === 0) {
      state = 'closed'
      closed()
    }
  }

  /** Once this turn of the event loop has read what there is to read, so that it leaves together. */
  function lookSoon(): void {
    if (soon) return
    soon = true
    setImmediate(look)
  }

  return {
    push: (item) => {
      const { tenantId } = item
      const taken = state === 'open' ? shares.take(tenantId, 1) : 'closed'
      if (taken !== 'taken') return taken
      const one = laneOf(tenantId)
      one.held.add(tenantId, 1)
      one.lastAt = performance.now()
      if (one.waiting.size() === 0) one.firstAt = one.lastAt
      one.waiting.push(item)
      const waiting = one.waiting.size()
      // While a timer runs, only these can make it leave earlier.
      if (timer === undefined || waiting === 1 || waiting === ENOUGH || waiting >= batchMax) lookSoon()
      return taken
    },
    ask: (tenantId) => (state === 'open' ? shares.ask(tenantId, 1) : 'closed'),
    reserve: (tenantId, wanted) => {
      const count = Math.min(wanted, shares.mostOfOne)
      const taken = state === 'open' ? shares.take(tenantId, count) : 'closed'
      return taken === 'taken' ? { release: () => shares.give(tenantId, count) } : taken
    },
    size,
    drain: () => {
      if (state === 'open') {
        state = 'draining'
        look()
      }
      return whenClosed
    },
  }
}
