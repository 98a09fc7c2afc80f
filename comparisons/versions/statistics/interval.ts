import { evidence, reachedAfter } from './evidence.ts'

/** Log ratios; infinite where the rounds are too few to exclude anything on that side. */
export type Interval = { readonly low: number; readonly high: number }

const FARTHEST = Math.log(1000)
const STEPS = 40

/**
 * The changes that the evidence does not exclude: a confidence sequence, valid after any number of rounds. Evidence
 * against a change falls as the change comes nearer to what was measured, so that each end is found by halving.
 *
 * @param miss how often an interval may miss the change, on each side
 */
export function intervalOf(effects: readonly number[], scales: readonly number[], miss: number): Interval {
  const excluded = (change: number, direction: 'above' | 'below') =>
    reachedAfter(evidence(effects, scales, change, direction), 1 / miss) !== undefined
  const end = (direction: 'above' | 'below') => {
    const outwards = direction === 'above' ? -1 : 1
    if (!excluded(outwards * FARTHEST, direction)) return outwards * Number.POSITIVE_INFINITY
    let out = outwards * FARTHEST
    let inside = -outwards * FARTHEST
    for (let step = 0; step < STEPS; step++) {
      const middle = (out + inside) / 2
      if (excluded(middle, direction)) out = middle
      else inside = middle
    }
    return out
  }
  return { low: end('above'), high: end('below') }
}
