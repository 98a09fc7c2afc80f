/**
 * What the subscribers of one VU received and what was due to them.
 *
 * Every subscriber counts by the offsets of its frames. The VU's checkers also look at every message's event id: they
 * know which offsets hold messages of others (foreign), a message for the second time (doubled), or a farewell. What the first checker finds so is taken off the counts of all the VU's subscribers, as soon as
 * they have passed that offset; it subscribes before them, so that it has seen whatever they have.
 *
 * What was due is learned from the publishers' farewells (see `message-ids.ts`): then everything is exact.
 */
import { type IdentityCheck, identityCheck, type MessageKind, type RunMessages } from './identity-check.ts'
import { type Ledger, missingCount, openLedger } from './offset-ledger.ts'

export type Subscriber = Ledger & {
  /** Present on checkers. */
  readonly check: IdentityCheck | undefined
  /** How many entries of what is not counted it has passed. */
  passed: number
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
   * Never more than was delivered: while the test runs, what a subscriber has beyond where the first checker is counts
   * later, for it may be foreign.
   *
   * @param isFinal nothing more will come
   */
  totals(isFinal: boolean): Totals
  /** Whether every one of `subscribers` has all that was due. */
  complete(subscribers: number): boolean
}

export function deliveryTally(run: RunMessages): DeliveryTally {
  const subscribers: Subscriber[] = []
  const notCounted: { readonly offset: number; readonly kind: MessageKind }[] = []

  /** What a subscriber has of this run, each message once. */
  const ownOf = (subscriber: Subscriber): number => {
    for (let entry = notCounted[subscriber.passed]; entry; entry = notCounted[subscriber.passed]) {
      if (entry.offset > subscriber.last) break
      if (entry.kind === 'foreign') subscriber.foreign += 1
      else if (entry.kind === 'doubled') subscriber.doubled += 1
      else subscriber.farewells += 1
      subscriber.passed += 1
    }
    return subscriber.received - subscriber.foreign - subscriber.doubled - subscriber.farewells
  }

  const expected = () => subscribers[0]?.check?.expected()

  return {
    subscribe(offset, checks) {
      const after = notCounted.findIndex((entry) => entry.offset > offset)
      const subscriber: Subscriber = {
        ...openLedger(offset),
        check: checks ? identityCheck(run) : undefined,
        passed: after < 0 ? notCounted.length : after,
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
      if (kind !== 'own' && subscriber === subscribers[0]) notCounted.push({ offset, kind })
      return kind === 'own'
    },
    totals(isFinal) {
      const due = expected()
      const sum = { delivered: 0, duplicated: 0, reordered: 0, foreign: 0, lost: 0, mismatched: 0 }
      for (const subscriber of subscribers) {
        const own = ownOf(subscriber)
        const ahead = isFinal ? 0 : Math.max(0, subscriber.last - (subscribers[0]?.last ?? 0))
        sum.delivered += own - Math.min(own, ahead)
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
