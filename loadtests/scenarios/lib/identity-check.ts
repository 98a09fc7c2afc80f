/** Knows each message that one checker received by its event id: whose it is, and whether it came before. */
import { farewellOf } from './message-ids.ts'

/**
 * own: of this run, for the first time. doubled: of this run, again. farewell: a publisher's last word, which is not
 * measured. foreign: of somebody else.
 */
export type MessageKind = 'own' | 'doubled' | 'farewell' | 'foreign'

export type RunMessages = {
  readonly runId: string
  readonly publishers: number
  /** Messages are numbered from 0 to below this. */
  readonly planned: number
}

export type IdentityCheck = {
  /** @param number of a message whose id has the run's prefix */
  ofNumber(number: number): MessageKind
  /**
   * Enters the first numbers of a list, up to one that is not new and of this run.
   *
   * @returns how many were entered
   */
  ofNew(numbers: readonly number[], count: number): number
  /** @param eventId without that prefix */
  ofId(eventId: string): MessageKind
  /** How many messages of this run were received, each counted once. */
  distinct(): number
  /** What every publisher together says it sent; undefined until the last of them has said farewell. */
  expected(): number | undefined
}

export function identityCheck({ runId, publishers, planned }: RunMessages): IdentityCheck {
  const seen = new Uint8Array(planned)
  const acknowledged = new Map<number, number>()
  let distinct = 0
  return {
    ofNumber(number) {
      if (seen[number] === 0) {
        seen[number] = 1
        distinct += 1
        return 'own'
      }
      return seen[number] === 1 ? 'doubled' : 'foreign'
    },
    ofNew(numbers, count) {
      let i = 0
      // No element of `seen` is a negative or too large number's.
      for (; i < count; i++) {
        const number = numbers[i]!
        if (seen[number] !== 0) break
        seen[number] = 1
      }
      distinct += i
      return i
    },
    ofId(eventId) {
      const farewell = farewellOf(eventId, runId)
      if (farewell === undefined || farewell.publisher >= publishers) return 'foreign'
      acknowledged.set(farewell.publisher, farewell.acknowledged)
      return 'farewell'
    },
    distinct: () => distinct,
    expected() {
      if (acknowledged.size < publishers) return undefined
      return [...acknowledged.values()].reduce((sum, count) => sum + count, 0)
    },
  }
}
