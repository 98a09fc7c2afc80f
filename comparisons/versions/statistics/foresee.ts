/** What a run could have told, and what a longer one would. Both from the noise that this run had. */
import { median } from '../../arithmetic.ts'
import { decide, type RoundEffect, type Rule, roundsToDecide } from './decide.ts'

const LARGEST = Math.log(2)
const STEPS = 12
/** Fewer tell too little of the noise. */
const LEAST_ROUNDS = 4
/** Beyond this, nobody waits. */
const MOST_ROUNDS = 240

/**
 * The smallest slowdown that would have been found if it had been there: planted into these rounds, after their own
 * change was taken out of them.
 *
 * @returns a log ratio; undefined when not even a slowdown to twice the value would have been found
 */
export function smallestSeen(rounds: readonly RoundEffect[], rule: Rule): number | undefined {
  if (rounds.length === 0) return undefined
  const middle = median(rounds.map(({ effect }) => effect))
  // A margin of nothing: only whether it is seen counts, not whether it matters.
  const found = (change: number) =>
    decide(onServersOfTheirOwn(rounds.map(({ effect }) => effect - middle + change)), { ...rule, margin: 0 }).answer ===
    'slower'
  if (!found(LARGEST)) return undefined
  let [missed, seen] = [0, LARGEST]
  for (let step = 0; step < STEPS; step++) {
    const change = (missed + seen) / 2
    if (found(change)) seen = change
    else missed = change
  }
  return seen
}

/**
 * How many more rounds would decide, if they were like those so far.
 *
 * @returns infinite when even 240 rounds would not; undefined while it is too early to tell
 */
export function moreRounds(rounds: readonly RoundEffect[], rule: Rule): number | undefined {
  if (rounds.length < LEAST_ROUNDS) return undefined
  const repeated = Array.from({ length: MOST_ROUNDS }, (_, i) => rounds[i % rounds.length]!.effect)
  const needed = roundsToDecide(onServersOfTheirOwn(repeated), rule)
  return needed === undefined ? Number.POSITIVE_INFINITY : Math.max(1, needed - rounds.length)
}

const onServersOfTheirOwn = (effects: readonly number[]): readonly RoundEffect[] =>
  effects.map((effect, servers) => ({ effect, servers }))
