/** Rounds of a comparison as noisy machines give them: whatever disturbs, both versions share; a coin decides the halves. */
import { type Random, seededRandom } from '@hopwhistle/contract/traffic/report-queries.ts'
import type { RoundEffect } from '../../versions/statistics/decide.ts'

export type Noise = 'normal' | 'heavy-tailed' | 'autocorrelated'

export type Simulated = {
  readonly rounds: number
  /** Log ratio of the compared version to the base. */
  readonly change: number
  /** Standard deviation of a round's log ratio, about. */
  readonly noise: number
  readonly kind: Noise
  /** By how much one half of the servers is slower than the other, as a log ratio. */
  readonly halves?: number
  /** Whether a coin decides which version gets which half; else it is always the same. */
  readonly coin?: boolean
}

/** Servers are new after so many rounds. */
const ROUNDS_ON_SERVERS = 2
const WINDOWS = 2
/** What a value of the last round leaves in the next one. */
const MEMORY = 0.8

export function simulate(random: Random, options: Simulated): readonly RoundEffect[] {
  const { rounds, change, noise, kind, halves = 0, coin = true } = options
  // Of each half, as it stays from round to round where noise has a memory.
  const lasting = [0, 0]
  let drift = 0
  return Array.from({ length: rounds }, (_, round) => {
    // One-sided and ever faster: what both windows of a pair share.
    drift += 0.02 * random()
    for (const half of [0, 1]) lasting[half] = MEMORY * lasting[half]! + Math.sqrt(1 - MEMORY ** 2) * normal(random)
    const swapped = coin && random() < 0.5
    const ofProcess = [0, 1].map(() => disturbance(random, kind))
    const ratios = Array.from({ length: WINDOWS }, () => {
      const shared = drift + disturbance(random, kind)
      const values = [0, 1].map((half) => {
        const own = kind === 'autocorrelated' ? lasting[half]! : ofProcess[half]!
        return shared + (noise / Math.SQRT2) * own + (half === 1 ? halves : 0)
      })
      const [base, head] = swapped ? [values[1]!, values[0]! + change] : [values[0]!, values[1]! + change]
      return head - base
    })
    const effect = ratios.reduce((sum, ratio) => sum + ratio, 0) / WINDOWS
    return { effect, servers: Math.floor(round / ROUNDS_ON_SERVERS) }
  })
}

const disturbance = (random: Random, kind: Noise): number =>
  kind === 'heavy-tailed' ? heavyTailed(random) : normal(random)

const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** Student's t with two degrees of freedom, which has no variance; the middle half of it lies as that of a normal one. */
function heavyTailed(random: Random): number {
  const u = random()
  return ((2 * u - 1) / Math.sqrt(2 * Math.max(1e-12, u * (1 - u)))) * 0.826
}

export { seededRandom }
