/** The search for a capacity, which begins below it: which rate to try next. Pure, so that a search can be resumed. */
import { nextRate } from '../run/next-rate.ts'

export type Tried = {
  readonly ratePerSecond: number
  readonly holds: boolean
  /** Of the CPU that the instances may use, 0 to 1; absent where it is not known. */
  readonly use?: number
}

export type SearchUp = {
  readonly tried: readonly Tried[]
  /** To begin with; better too small than too large. */
  readonly startPerSecond: number
  readonly mostSteps: number
}

/** The use that is aimed at from far below, and the growth near the end. */
const AIM = 0.85
const MOST_GROWTH = 2.5
const LAST_GROWTH = 1.12

/**
 * Grows until a rate does not hold, halves the span between what held and what did not, and confirms the answer by a
 * second run. What held once and then failed does not hold.
 *
 * @returns undefined when the capacity is known, or no step is left
 */
export function nextRateUp({ tried, startPerSecond, mostSteps }: SearchUp): number | undefined {
  const last = tried.at(-1)
  if (last === undefined) return Math.max(1, Math.round(startPerSecond))
  const stepsLeft = mostSteps - tried.length
  if (stepsLeft < 1) return undefined
  const { held, failed, confirmed } = capacityOf(tried)
  if (failed === undefined) {
    const { use } = tried.findLast(({ ratePerSecond }) => ratePerSecond === held) ?? last
    const growth = use === undefined || use <= 0 ? LAST_GROWTH : AIM / use
    return Math.ceil(held * Math.min(MOST_GROWTH, Math.max(LAST_GROWTH, growth)))
  }
  const narrower = nextRate({ targetPerSecond: failed, reachedPerSecond: 0, tried, stepsLeft: stepsLeft - 1 })
  if (narrower !== undefined) return narrower
  return held > 0 && !confirmed ? held : undefined
}

/** The highest rate that held, below every one that did not; 0 when none did. */
export function capacityOf(tried: readonly Tried[]): {
  readonly held: number
  readonly failed?: number
  /** By a second run. */
  readonly confirmed: boolean
} {
  const failed = Math.min(...tried.flatMap(({ holds, ratePerSecond }) => (holds ? [] : [ratePerSecond])))
  const holding = tried.filter(({ holds, ratePerSecond }) => holds && ratePerSecond < failed)
  const held = Math.max(0, ...holding.map(({ ratePerSecond }) => ratePerSecond))
  return {
    held,
    ...(Number.isFinite(failed) ? { failed } : {}),
    confirmed: holding.filter(({ ratePerSecond }) => ratePerSecond === held).length > 1,
  }
}
