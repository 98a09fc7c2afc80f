/**
 * The answer for one metric, after any number of rounds.
 *
 *   undecided ──evidence──▶ suspected ──the same again on new servers──▶ slower or faster
 *   undecided, suspected, slower, faster ──a change of the margin is excluded on both sides──▶ same
 *
 * suspected  counts as undecided: the change is not zero as far as one set of servers tells
 * slower     it was seen in a repetition that shares no round, no process and no server with the first
 * same       any change is smaller than the margin
 */
import { evidence, reachedAfter, scalesOf } from './evidence.ts'

export type Answer = 'slower' | 'faster' | 'same' | 'undecided'

/** What one round says of a metric. */
export type RoundEffect = {
  /** Log ratio of the compared version to the base, positive where it is worse; the mean of the round's windows. */
  readonly effect: number
  /** Number of the set of servers that the round ran on. */
  readonly servers: number
}

export type Rule = {
  /** How many metrics are looked at together. */
  readonly metrics: number
  /** The change that matters, as a log ratio. */
  readonly margin: number
}

export type Decision = {
  readonly answer: Answer
  /** Waits for its repetition, on other servers than those that it was seen on. */
  readonly suspected?: { readonly direction: 'slower' | 'faster'; readonly servers: number }
}

/** That any of the metrics is suspected without a reason, in a whole run; half of it for each direction. */
export const FALSE_SUSPICION = 0.1
/** That one which is suspected without a reason is suspected again. Together: one false `slower` or `faster` in 100 runs. */
export const FALSE_REPETITION = 0.1
/** That an end of an interval lies on the wrong side, and so that `same` hides a change as large as the margin. */
export const MISS = 0.025

export function decide(rounds: readonly RoundEffect[], rule: Rule): Decision {
  const { same, slower, faster } = decidedAfter(rounds, rule)
  if (same !== undefined) return { answer: 'same' }
  if (slower.repeated !== undefined) return { answer: 'slower' }
  if (faster.repeated !== undefined) return { answer: 'faster' }
  const direction = slower.suspected !== undefined ? 'slower' : 'faster'
  const after = slower.suspected ?? faster.suspected
  if (after === undefined) return { answer: 'undecided' }
  return { answer: 'undecided', suspected: { direction, servers: rounds[after - 1]!.servers } }
}

/** @returns the least number of rounds that gives an answer; undefined when there is none yet */
export function roundsToDecide(rounds: readonly RoundEffect[], rule: Rule): number | undefined {
  const { same, slower, faster } = decidedAfter(rounds, rule)
  const counts = [same, slower.repeated, faster.repeated].filter((count) => count !== undefined)
  return counts.length === 0 ? undefined : Math.min(...counts)
}

/** After how many rounds each answer was reached. */
function decidedAfter(rounds: readonly RoundEffect[], { metrics, margin }: Rule) {
  const effects = rounds.map(({ effect }) => effect)
  const scales = scalesOf(effects)
  const small = reachedAfter(evidence(effects, scales, margin, 'below'), 1 / MISS)
  const notNegative = reachedAfter(evidence(effects, scales, -margin, 'above'), 1 / MISS)
  const change = (direction: 'above' | 'below') => {
    const suspected = reachedAfter(evidence(effects, scales, 0, direction), (2 * metrics) / FALSE_SUSPICION)
    if (suspected === undefined) return { suspected, repeated: undefined }
    const { servers } = rounds[suspected - 1]!
    const later = rounds.findIndex((round, i) => i >= suspected && round.servers !== servers)
    if (later < 0) return { suspected, repeated: undefined }
    const again = evidence(effects.slice(later), scales.slice(later), 0, direction)
    const repeated = reachedAfter(again, 1 / FALSE_REPETITION)
    return { suspected, repeated: repeated === undefined ? undefined : later + repeated }
  }
  return {
    same: small === undefined || notNegative === undefined ? undefined : Math.max(small, notNegative),
    slower: change('above'),
    faster: change('below'),
  }
}
