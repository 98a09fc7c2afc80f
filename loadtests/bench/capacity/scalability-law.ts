/**
 * The universal scalability law of N. J. Gunther: N instances carry
 *
 *   X(N) = λN / (1 + σ(N − 1) + κN(N − 1))
 *
 * λ is what one carries; σ, contention, is the part of the work that waits its turn; κ, coherence, is what instances
 * cost each other. With κ above 0 more than √((1 − σ) / κ) of them carry less.
 *
 * Gunther, "A General Theory of Computational Scalability Based on Rational Functions", arXiv:0808.1431 (2008), and
 * "Guerrilla Capacity Planning", Springer (2007), chapter 6.
 */
export type Law = { readonly sigma: number; readonly kappa: number }

/** How many single instances N of them are worth. */
export const speedup = ({ sigma, kappa }: Law, n: number): number => n / (1 + sigma * (n - 1) + kappa * n * (n - 1))

/** Beyond so many instances one more carries less; infinite without coherence. */
export const peakOfLaw = ({ sigma, kappa }: Law): number =>
  kappa === 0 ? Number.POSITIVE_INFINITY : Math.sqrt((1 - sigma) / kappa)

export type Observation = { readonly workload: string; readonly instances: number; readonly capacity: number }

export type FittedLaw = Law & {
  /** What one instance carries of each workload. */
  readonly lambda: ReadonlyMap<string, number>
}

/**
 * One σ and one κ for all workloads, and a λ for each: least squares of the logarithms, so that a tenth more is as far
 * as a tenth less, at any rate. For given σ and κ the best λ is a mean; these two are looked for on a grid that narrows.
 *
 * @param observed capacities above 0
 */
export function fitLaw(observed: readonly Observation[]): FittedLaw {
  const groups = [...Map.groupBy(observed, ({ workload }) => workload)].map(([workload, list]) => ({
    workload,
    points: list.map(({ instances, capacity }) => ({ instances, log: Math.log(capacity) })),
  }))
  const logLambda = (law: Law, { points }: (typeof groups)[number]) =>
    points.reduce((sum, { instances, log }) => sum + log - Math.log(speedup(law, instances)), 0) / points.length
  const errorOf = (law: Law) =>
    groups.reduce((sum, group) => {
      const lambda = logLambda(law, group)
      return group.points.reduce(
        (sum, { instances, log }) => sum + (log - lambda - Math.log(speedup(law, instances))) ** 2,
        sum,
      )
    }, 0)
  let best: Law = { sigma: 0, kappa: 0 }
  let error = errorOf(best)
  for (let round = 0, width = 0.5; round < ROUNDS; round++, width /= 2) {
    const { sigma, kappa } = best
    for (let i = -GRID; i <= GRID; i++) {
      for (let j = -GRID; j <= GRID; j++) {
        const law = {
          sigma: Math.min(1, Math.max(0, sigma + (i * width) / GRID)),
          kappa: Math.max(0, kappa + (j * width) / GRID),
        }
        const its = errorOf(law)
        if (its < error - 1e-12) {
          best = law
          error = its
        }
      }
    }
  }
  return { ...best, lambda: new Map(groups.map((group) => [group.workload, Math.exp(logLambda(best, group))])) }
}

const ROUNDS = 12
const GRID = 4
