/**
 * What the subscribers of one VU received and what was due to them.
 *
 * Every subscriber counts by the offsets of its frames. The VU's checkers also look at every message's event id: they
 * know which offsets hold messages of others (foreign), a message for the second time (doubled), or a farewell. What a checker finds so is taken off the counts of all the VU's subscribers that have received that offset. The
 * first subscriber is a checker, so that one has seen whatever the others have.
 *
 * What was due is learned from the publishers' farewells (see `message-ids.ts`): then everything is exact.
 */
import { type IdentityCheck, identityCheck, type MessageKind, type RunMessages } from './identity-check.ts'
import { isSettled, type Ledger, missingCount, openLedger, receivedAfter } from './offset-ledger.ts'

type NotCounted = { readonly offset: number; readonly kind: Exclude<MessageKind, 'own'> }

export type Subscriber = Ledger & {
  /** Present on checkers. */
  readonly check: IdentityCheck | undefined
  /** It was never due what is not after this offset. */
  readonly base: number
  /** How many entries of what is not counted it has passed. */
  passed: number
  /** Those of them that it has not received. */
  unmet: NotCounted[]
  farewells: number
  foreign: number
  doubled: number
}

export type Totals = {
  readonly delivered: number
  readonly duplicated: number
  readonly reordered: number
  readonly foreign: number
  /** Due and not received; before all farewells arrived, the offsets that were passed over. */
  readonly lost: number
  /** By how much the checkers' counts by event id differ from those by offset: 0, or the counting is wrong. */
  readonly mismatched: number
}

export type DeliveryTally = {
  /**
   * @param offset everything after it is due
   * @param checks whether it is a checker; the first subscriber of all must be one
   */
  subscribe(offset: number, checks: boolean): Subscriber
  /**
   * Enters a message that a checker received, in the order of offsets.
   *
   * @param number of the message in this run, or -1
   * @param eventId of a message without a number
   * @returns whether it is this run's, and new
   */
  checked(subscriber: Subscriber, offset: number, number: number, eventId: string): boolean
  /**
   * Enters the first messages of a list that a checker received and that have numbers, up to one that is not new and
   * this run's: that one and those after it are for `checked`.
   *
   * @returns how many were entered
   */
  checkedNew(subscriber: Subscriber, numbers: readonly number[], count: number): number
  /** @param isFinal nothing more will come; until then never more than what is surely delivered */
  totals(isFinal: boolean): Totals
  /** Whether every one of `subscribers` has all that was due. */
  complete(subscribers: number): boolean
}

const PLACE_OF = { foreign: 'foreign', doubled: 'doubled', farewell: 'farewells' } as const

export function deliveryTally(run: RunMessages): DeliveryTally {
  const subscribers: Subscriber[] = []
  const notCounted: NotCounted[] = []
  const known = new Set<number>()

  /** What a subscriber has of this run, each message once. */
  const ownOf = (subscriber: Subscriber): number => {
    while (subscriber.passed < notCounted.length && notCounted[subscriber.passed]!.offset <= subscriber.last) {
      subscriber.unmet.push(notCounted[subscriber.passed]!)
      subscriber.passed += 1
    }
    // What it has not received cannot be taken off; it may still come.
    subscriber.unmet = subscriber.unmet.filter(({ offset, kind }) => {
      if (offset <= subscriber.base) return false
      if (!isSettled(subscriber, offset)) return true
      subscriber[PLACE_OF[kind]] += 1
      return false
    })
    return subscriber.received - subscriber.foreign - subscriber.doubled - subscriber.farewells
  }

  const expected = () => subscribers.find(({ check }) => check?.expected() !== undefined)?.check?.expected()

  /** The checker that has seen most. */
  const best = (): Subscriber | undefined =>
    subscribers.reduce<Subscriber | undefined>(
      (most, one) => ((one.check?.distinct() ?? -1) > (most?.check?.distinct() ?? -1) ? one : most),
      undefined,
    )

  return {
    subscribe(offset, checks) {
      const subscriber: Subscriber = {
        ...openLedger(offset),
        check: checks ? identityCheck(run) : undefined,
        base: offset,
        passed: 0,
        unmet: [],
        farewells: 0,
        foreign: 0,
        doubled: 0,
      }
      subscribers.push(subscriber)
      return subscriber
    },
    checked(subscriber, offset, number, eventId) {
      const { check } = subscriber
      if (check === undefined) return false
      const kind = number >= 0 ? check.ofNumber(number) : check.ofId(eventId)
      if (kind === 'own') return true
      if (!known.has(offset)) notCounted.push({ offset, kind })
      known.add(offset)
      return false
    },
    checkedNew: ({ check }, numbers, count) => check?.ofNew(numbers, count) ?? 0,
    totals(isFinal) {
      const due = expected()
      const checker = best()
      // Beyond where the checker is, nobody knows what is foreign: it counts later. At the end all of it is, if the
      // checker has everything that was due.
      const isKnown = checker !== undefined && (!isFinal || checker.check?.distinct() === due)
      const sum = { delivered: 0, duplicated: 0, reordered: 0, foreign: 0, lost: 0, mismatched: 0 }
      for (const subscriber of subscribers) {
        const counted = ownOf(subscriber) - (isKnown ? receivedAfter(subscriber, checker.last) : 0)
        const own = isFinal && due !== undefined ? Math.min(due, counted) : counted
        sum.delivered += own
        sum.duplicated += subscriber.duplicated + subscriber.doubled
        sum.reordered += subscriber.reordered
        sum.foreign += subscriber.foreign
        sum.lost += due === undefined ? missingCount(subscriber) : Math.max(0, due - own)
        if (subscriber.check) sum.mismatched += Math.abs(subscriber.check.distinct() - own)
      }
      return sum
    },
    complete(count) {
      const due = expected()
      return due !== undefined && subscribers.length === count && subscribers.every((one) => ownOf(one) >= due)
    },
  }
}
