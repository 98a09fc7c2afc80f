/** How the subscribers are divided over the VUs that hold them, and over the tenants: evenly, and the same on every runner. */
import type { LiveShape } from './contract.scenarios.ts'

/**
 * @param index 0 to `subscriberVUs` - 1, over all runners
 * @returns the numbers of the VU's subscribers, of which 0 is the first of all
 */
export function subscribersOf(
  index: number,
  { subscribers, subscriberVUs }: Pick<LiveShape, 'subscribers' | 'subscriberVUs'>,
): readonly number[] {
  const before = (vus: number) => Math.floor((vus * subscribers) / subscriberVUs)
  return Array.from({ length: before(index + 1) - before(index) }, (_, i) => before(index) + i)
}

/** How many subscribers a tenant has: subscriber i is of tenant i mod `tenants`. */
export const subscribersOfTenant = (tenant: number, subscribers: number, tenants: number): number =>
  Math.max(0, Math.ceil((subscribers - tenant) / tenants))
