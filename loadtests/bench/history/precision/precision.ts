/** How often changes are found in simulated series, and how often a change is said where there is none. */
import { findChanges } from '../change-points/find-changes.ts'
import { otavaChanges } from '../change-points/otava.ts'
import { KINDS, type Kind, RUNS, simulate, simulateStepAt } from './simulate.ts'

export const STEPS = [0, 0.05, 0.1, 0.2] as const
export const NOISES = [0.01, 0.02, 0.03, 0.05] as const
/** A change that is said so few runs too early or too late counts as found. */
export const NEAR = 3

export const METHODS = { ours: findChanges, otava: otavaChanges } as const
export type Method = keyof typeof METHODS

/** Of all series of a kind, a step and a noise. */
export type Cell = {
  readonly kind: Kind
  readonly step: number
  readonly noise: number
  readonly series: number
  readonly by: Readonly<Record<Method, Count>>
}

export type Count = {
  /** Series whose change was found, NEAR or better; and at the very run. */
  readonly found: number
  readonly exact: number
  /** Changes said elsewhere, and the series that have any. */
  readonly wrong: number
  readonly alarmed: number
}

/**
 * @param series for each kind, step and noise
 * @param firstSeed the method was tuned on series of seeds from 777,000: measure it on others
 */
export function measurePrecision(series: number, firstSeed: number): readonly Cell[] {
  return KINDS.flatMap((kind) =>
    STEPS.flatMap((step) =>
      NOISES.map((noise, i) => {
        const simulated = Array.from({ length: series }, (_, n) =>
          simulate({ kind, noise, step, seed: firstSeed + 1000 * (10 * STEPS.indexOf(step) + i) + n }),
        )
        const count = (method: Method) =>
          simulated
            .map(({ values, changeAt }) => countOf(METHODS[method](values), changeAt))
            .reduce(added, { found: 0, exact: 0, wrong: 0, alarmed: 0 })
        return { kind, step, noise, series, by: { ours: count('ours'), otava: count('otava') } }
      }),
    ),
  )
}

function countOf(said: readonly { readonly index: number }[], changeAt: number | undefined): Count {
  const near = said.filter(({ index }) => changeAt !== undefined && Math.abs(index - changeAt) <= NEAR)
  const found = near.length > 0 ? 1 : 0
  const wrong = said.length - found
  return { found, exact: near.some(({ index }) => index === changeAt) ? 1 : 0, wrong, alarmed: wrong > 0 ? 1 : 0 }
}

export const RUNS_BEFORE = 60
export const DELAY_NOISE = 0.02

/** After how many runs a step is first said, by series in ascending order; infinite when all of RUNS were not enough. */
export type Delay = { readonly step: number; readonly by: Readonly<Record<Method, readonly number[]>> }

/** A steady series with noise of 2 % is looked at again after each run, as it is from day to day. */
export function measureDelay(series: number, firstSeed: number): readonly Delay[] {
  return STEPS.filter((step) => step > 0).map((step, i) => {
    const delays = (method: Method) =>
      Array.from({ length: series }, (_, n) => {
        const values = simulateStepAt(RUNS_BEFORE, { noise: DELAY_NOISE, step, seed: firstSeed + 1000 * i + n })
        return delayOf(METHODS[method], values)
      }).sort((a, b) => a - b)
    return { step, by: { ours: delays('ours'), otava: delays('otava') } }
  })
}

export type DailyAlarms = { readonly series: number; readonly by: Readonly<Record<Method, number>> }

/** In how many series without a change one is said after any of their runs: a false alarm is seen on its day, even if it goes again. */
export function measureDailyAlarms(series: number, firstSeed: number): DailyAlarms {
  const alarmed = (method: Method) =>
    Array.from({ length: series }, (_, n) =>
      simulateStepAt(RUNS_BEFORE, { noise: DELAY_NOISE, step: 0, seed: firstSeed + 5000 + n }),
    ).filter((values) => values.some((_, last) => METHODS[method](values.slice(0, last + 1)).length > 0)).length
  return { series, by: { ours: alarmed('ours'), otava: alarmed('otava') } }
}

function delayOf(find: (typeof METHODS)[Method], values: readonly number[]): number {
  for (let after = 1; RUNS_BEFORE + after <= RUNS; after++) {
    const said = find(values.slice(0, RUNS_BEFORE + after))
    if (said.some(({ index }) => Math.abs(index - RUNS_BEFORE) <= NEAR)) return after
  }
  return Number.POSITIVE_INFINITY
}

export const added = (a: Count, b: Count): Count => ({
  found: a.found + b.found,
  exact: a.exact + b.exact,
  wrong: a.wrong + b.wrong,
  alarmed: a.alarmed + b.alarmed,
})
