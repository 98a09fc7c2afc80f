/** The search for the largest rate that holds: which rate to try next. Pure. */
export type Tried = { readonly ratePerSecond: number; readonly holds: boolean }

export type Search = {
  /** Known not to hold. */
  readonly targetPerSecond: number
  /** What was achieved when the target was offered: near what can be carried, where it is far from the target. */
  readonly reachedPerSecond: number
  readonly tried: readonly Tried[]
  /** For how many more there is time, this one included. */
  readonly stepsLeft: number
}

/** The answer may be this much too small, as a part of the target; and of itself, where it is far below. */
const OF_TARGET = 0.04
const OF_HELD = 0.15
/** First tried of what was reached at full load, which was a little more than is carried well. */
const OF_REACHED = 0.8
/** What divides the smallest rate that failed, by the steps that are left: for any answer is worth more than a precise one. */
const DIVISORS = [8, 4, 2]

/**
 * Halves the span between what held and what did not; before anything held, goes down, the faster the less time is left.
 *
 * @returns a whole number below every rate that failed; undefined when there is nothing to gain, or no time
 */
export function nextRate({ targetPerSecond, reachedPerSecond, tried, stepsLeft }: Search): number | undefined {
  if (stepsLeft < 1) return undefined
  const rates = (holds: boolean) => tried.filter((one) => one.holds === holds).map((one) => one.ratePerSecond)
  const failed = Math.min(targetPerSecond, ...rates(false))
  const held = Math.max(0, ...rates(true).filter((rate) => rate < failed))
  if (held > 0) {
    if (failed - held <= precision(targetPerSecond, held)) return undefined
    // Far apart, the middle of the orders of magnitude is the better guess.
    return Math.round(failed > 2 * held ? Math.sqrt(failed * held) : (failed + held) / 2)
  }
  if (failed <= 1) return undefined
  const divisor = DIVISORS[Math.min(stepsLeft, DIVISORS.length) - 1] ?? 2
  const first = tried.length === 0 && reachedPerSecond >= 1 ? OF_REACHED * reachedPerSecond : failed
  return Math.max(1, Math.floor(Math.min(first, failed / divisor)))
}

/** How far apart the rate that held and the one that failed may be in the end. */
const precision = (targetPerSecond: number, held: number): number =>
  Math.max(1, Math.min(OF_TARGET * targetPerSecond, OF_HELD * held))
