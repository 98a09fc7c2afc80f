import { waitUntil } from '../../platform/lib/wait-until.ts'

/**
 * Waits until nothing is missing any more. @param count how much is, now
 * @returns how much still is when the time is over; 0 as soon as nothing is
 */
export async function stillMissing(count: () => number, timeoutMs: number): Promise<number> {
  await waitUntil('all live', () => count() === 0, { timeoutMs, everyMs: 250 }).catch(() => {})
  return count()
}
