import { nextRate, type Search, type Tried } from './next-rate.ts'

export type SearchOptions = Pick<Search, 'targetPerSecond' | 'reachedPerSecond'> & {
  readonly forMs: number
  /** What a step usually takes. */
  readonly stepMs: number
  /** @param withinMs when it is over at the latest; a step that cannot end by then does not hold */
  readonly tryRate: (ratePerSecond: number, withinMs: number) => Promise<boolean>
  readonly now?: () => number
}

/** A step that takes this many times as long as usual is waiting for a platform that does not keep up. */
const MOST_TIMES_LONGER = 2

/** Looks for the largest rate that holds, below a target that does not. @returns every rate tried, in order */
export async function searchRate(options: SearchOptions): Promise<readonly Tried[]> {
  const { targetPerSecond, reachedPerSecond, forMs, stepMs, tryRate, now = () => performance.now() } = options
  const beganAt = now()
  const tried: Tried[] = []
  for (;;) {
    const spentMs = now() - beganAt
    const usualMs = tried.length === 0 ? stepMs : Math.max(stepMs, spentMs / tried.length)
    const stepsLeft = Math.floor((forMs - spentMs) / usualMs)
    const ratePerSecond = nextRate({ targetPerSecond, reachedPerSecond, tried, stepsLeft })
    if (ratePerSecond === undefined) return tried
    const withinMs = Math.min(forMs - spentMs, MOST_TIMES_LONGER * stepMs)
    tried.push({ ratePerSecond, holds: await tryRate(ratePerSecond, withinMs) })
  }
}
