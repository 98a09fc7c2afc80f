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

/** The evidence that each answer takes: reached once, it counts, whatever follows. */
export const neededFor = ({ metrics }: Pick<Rule, 'metrics'>) => ({
  suspicion: (2 * metrics) / FALSE_SUSPICION,
  repetition: 1 / FALSE_REPETITION,
  same: 1 / MISS,
})

/** What the evidence came to after each round. */
export type Course = {
  /** Against "as large as the margin", in either direction. */
  readonly notSlower: readonly number[]
  readonly notFaster: readonly number[]
  /** Against "no change". */
  readonly slower: ChangeCourse
  readonly faster: ChangeCourse
}

export type ChangeCourse = {
  readonly evidence: readonly number[]
  /** Started again when a change was suspected, on the first round with other servers; counted from 0. */
  readonly repetition?: { readonly from: number; readonly evidence: readonly number[] }
}

export function courseOf(rounds: readonly RoundEffect[], { metrics, margin }: Rule): Course {
  const effects = rounds.map(({ effect }) => effect)
  const scales = scalesOf(effects)
  const change = (direction: 'above' | 'below'): ChangeCourse => {
    const course = evidence(effects, scales, 0, direction)
    const suspected = reachedAfter(course, neededFor({ metrics }).suspicion)
    if (suspected === undefined) return { evidence: course }
    const { servers } = rounds[suspected - 1]!
    const from = rounds.findIndex((round, i) => i >= suspected && round.servers !== servers)
    if (from < 0) return { evidence: course }
    return {
      evidence: course,
      repetition: { from, evidence: evidence(effects.slice(from), scales.slice(from), 0, direction) },
    }
  }
  return {
    notSlower: evidence(effects, scales, margin, 'below'),
    notFaster: evidence(effects, scales, -margin, 'above'),
    slower: change('above'),
    faster: change('below'),
  }
}

/** After how many rounds each answer was reached. */
function decidedAfter(rounds: readonly RoundEffect[], rule: Rule) {
  const needed = neededFor(rule)
  const course = courseOf(rounds, rule)
  const small = reachedAfter(course.notSlower, needed.same)
  const notNegative = reachedAfter(course.notFaster, needed.same)
  const change = ({ evidence, repetition }: ChangeCourse) => {
    const repeated = repetition && reachedAfter(repetition.evidence, needed.repetition)
    return {
      suspected: reachedAfter(evidence, needed.suspicion),
      repeated: repetition === undefined || repeated === undefined ? undefined : repetition.from + repeated,
    }
  }
  return {
    same: small === undefined || notNegative === undefined ? undefined : Math.max(small, notNegative),
    slower: change(course.slower),
    faster: change(course.faster),
  }
}
