/** Series as daily runs give them: a level with noise in percent, and what makes them hard. */
import { type Random, seededRandom } from '@hopwhistle/contract/traffic/report-queries.ts'

export const KINDS = ['steady', 'outliers', 'drift'] as const
export type Kind = (typeof KINDS)[number]

export type Simulated = {
  readonly kind: Kind
  /** Standard deviation of a run, as a share of the level. */
  readonly noise: number
  /** By which share the level rises, or falls, at `changeAt`; 0 for a series without a change. */
  readonly step: number
  readonly seed: number
}

export const RUNS = 100
const LEVEL = 20
/** Changes come with at least so many runs on each side. */
const MARGIN = 15
/** Share of runs that another program disturbed, and by how much at most: they are slower, never faster. */
export const OUTLIERS = 0.05
export const OUTLIER_SIZE = 0.5
/** By which share the level rises over the whole series, evenly: no run is the one that changed it. */
export const DRIFT = 0.1

/** The same, with a step up after so many runs. */
export function simulateStepAt(changeAt: number, { noise, step, seed }: Omit<Simulated, 'kind'>): readonly number[] {
  const random = seededRandom(seed)
  return Array.from(
    { length: RUNS },
    (_, run) => LEVEL * (run < changeAt ? 1 : 1 + step) * Math.exp(noise * normal(random)),
  )
}

export type SimulatedSeries = { readonly values: readonly number[]; readonly changeAt?: number }

/** @returns the same series for the same options, RUNS values long */
export function simulate({ kind, noise, step, seed }: Simulated): SimulatedSeries {
  const random = seededRandom(seed)
  const changeAt = MARGIN + Math.floor(random() * (RUNS - 2 * MARGIN + 1))
  const factor = random() < 0.5 ? 1 + step : 1 / (1 + step)
  const values = Array.from({ length: RUNS }, (_, run) => {
    const drift = kind === 'drift' ? 1 + (DRIFT * run) / RUNS : 1
    const disturbed = kind === 'outliers' && random() < OUTLIERS ? 1 + OUTLIER_SIZE * random() : 1
    return LEVEL * drift * disturbed * (run < changeAt ? 1 : factor) * Math.exp(noise * normal(random))
  })
  return step === 0 ? { values } : { values, changeAt }
}

const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
