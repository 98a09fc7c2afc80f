import { waitUntil } from '../../platform/lib/wait-until.ts'

/**
 * Waits until nothing is missing. @param count how much is missing now
 * @returns 0 as soon as nothing is missing; otherwise how much is when the time is over
 */
export async function stillMissing(count: () => number, timeoutMs: number): Promise<number> {
  await waitUntil('all live', () => count() === 0, { timeoutMs, everyMs: 250 }).catch(() => {})
  return count()
}
