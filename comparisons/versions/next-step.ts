import { overall } from './conclude.ts'
import type { Decision } from './statistics/decide.ts'

/**
 * another round ──answered, or no time for one more──▶ stop
 *               ──something is suspected on these servers──▶ new servers ──▶ another round
 */
export type NextStep = 'stop' | 'another round' | 'new servers'

export type SoFar = {
  readonly decisions: readonly Decision[]
  /** Of each round, the number of the set of servers that it ran on. */
  readonly servers: readonly number[]
  readonly secondsTaken: number
  /** Of the last round. */
  readonly roundSeconds: number
}

export type Limits = {
  readonly minutes: number
  readonly rounds: number
  /** Goes on until a limit is reached, and replaces the servers after so many rounds, whatever is seen. */
  readonly calibrate?: { readonly renewAfter: number }
}

/** By then a repetition that is under way has shown what it could. */
const REPETITION_ROUNDS = 6

export function nextStep(
  { decisions, servers, secondsTaken, roundSeconds }: SoFar,
  { minutes, rounds, calibrate }: Limits,
): NextStep {
  if (servers.length >= rounds || secondsTaken + roundSeconds > 60 * minutes) return 'stop'
  const onThese = servers.filter((number) => number === servers.at(-1)).length
  if (calibrate !== undefined) return onThese >= calibrate.renewAfter ? 'new servers' : 'another round'
  if (overall(decisions) !== 'undecided') return 'stop'
  const suspectedOn = decisions.flatMap(({ suspected }) => suspected?.servers ?? [])
  const underWay = suspectedOn.some((number) => number !== servers.at(-1))
  // Another suspicion waits for the repetition of an earlier one: new servers for each would take most of the time.
  const wait = underWay && onThese < REPETITION_ROUNDS
  return suspectedOn.includes(servers.at(-1)!) && !wait ? 'new servers' : 'another round'
}
