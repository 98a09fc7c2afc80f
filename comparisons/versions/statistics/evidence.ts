/**
 * Evidence against "the change is this large", from one log ratio a round.
 *
 * A coin decides in each round which version gets which servers. While both are the same, a log ratio is therefore as
 * likely to be +x as -x, whatever the noise: heavy tails, drift, a neighbour, the last round. A gambler who stakes on
 * the sign then wins nothing on average, and what he owns after any number of rounds exceeds 1/α with a probability of
 * at most α (Ville's inequality). So the evidence may be looked at after every round, and the run may stop at any of
 * them. No variance has to be known.
 *
 * The bet is that of Vovk and Wang, "Nonparametric e-tests of symmetry" (2024), after de la Peña (1999): money is
 * multiplied by exp(b)/cosh(b), where b grows with the log ratio. Ramdas et al., "Game-theoretic statistics and safe
 * anytime-valid inference" (2023) tells why such bets may be averaged, and turned into an interval.
 */
import { median } from '../../arithmetic.ts'

/** `above`: evidence that the change is larger than the one assumed; `below`: that it is smaller. */
export type Direction = 'above' | 'below'

/** How much is staked on a log ratio of one scale. The cautious one wins in much noise, the bold one in little. */
const STAKES = [0.7, 2] as const
/** In scales: a single round that is far off is not worth more, either way. */
const FARTHEST = 1.5
/** What the noise is thought to be before there are rounds; counts as two of them. */
const FIRST_SCALE = 0.05
/** Counters that hardly vary would else be divided by nothing. */
const SMALLEST_SCALE = 0.001
/** Makes the median of distances the standard deviation, where the noise is normal. */
const NORMAL = 1.4826

/**
 * The noise as it was known before each round, so that no bet depends on its own outcome.
 *
 * @param effects log ratios, one a round
 */
export function scalesOf(effects: readonly number[]): readonly number[] {
  const first = FIRST_SCALE / NORMAL
  return effects.map((_, round) => {
    const before = effects.slice(0, round)
    const middle = before.length === 0 ? 0 : median(before)
    const distances = [first, first, ...before.map((effect) => Math.abs(effect - middle))]
    return Math.max(SMALLEST_SCALE, NORMAL * median(distances))
  })
}

/**
 * @param effects log ratios, one a round
 * @param scales of the same rounds
 * @param assumed the change that the evidence is against, as a log ratio
 * @returns what the gambler owns after each round, who began with 1
 */
export function evidence(
  effects: readonly number[],
  scales: readonly number[],
  assumed: number,
  direction: Direction,
): readonly number[] {
  const sign = direction === 'above' ? 1 : -1
  const owned = STAKES.map(() => 1)
  return effects.map((effect, round) => {
    const far = Math.max(-FARTHEST, Math.min(FARTHEST, (sign * (effect - assumed)) / scales[round]!))
    STAKES.forEach((stake, i) => {
      owned[i]! *= 2 / (1 + Math.exp(-2 * stake * far))
    })
    return owned.reduce((sum, one) => sum + one, 0) / STAKES.length
  })
}

/** @returns the number of rounds after which evidence first was `enough`; undefined when it never was */
export function reachedAfter(evidence: readonly number[], enough: number): number | undefined {
  const round = evidence.findIndex((value) => value >= enough)
  return round < 0 ? undefined : round + 1
}
