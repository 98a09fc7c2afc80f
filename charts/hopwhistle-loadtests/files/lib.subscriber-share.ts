/** How the subscribers are divided over the VUs that hold them: evenly, and the same on every runner. */
import type { LiveShape } from './contract.scenarios.ts'

/** @param index 0 to `subscriberVUs` - 1, over all runners */
export function subscribersOf(
  index: number,
  { subscribers, subscriberVUs }: Pick<LiveShape, 'subscribers' | 'subscriberVUs'>,
): number {
  const before = (vus: number) => Math.floor((vus * subscribers) / subscriberVUs)
  return before(index + 1) - before(index)
}
