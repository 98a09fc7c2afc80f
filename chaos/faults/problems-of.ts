import type { FaultResult } from './run-fault.ts'

/** What senders and readers may be told while something is broken: come again, because of all or of their own, or nothing. */
const HONEST = new Set(['503', '429', 'none'])
const RECOVERED_WITHIN_MS = 20_000

/** What must hold of every fault; a sentence for each that does not. */
export function problemsOf(result: FaultResult): readonly string[] {
  const { lost, unknown, sent, acknowledged, rollupsEqual, refusals, withoutRetryAfter, recoveredAfterMs } = result
  const { reports, live } = result
  const refusedWith = (what: string, by: Readonly<Record<string, number>>) =>
    Object.keys(by)
      .filter((status) => !HONEST.has(status))
      .map((status) => `${by[status]} ${what} were refused with ${status}`)
  return [
    ...(lost.length > 0 ? [`${lost.length} acknowledged events are not in Postgres, ${lost[0]} among them`] : []),
    ...(unknown.length > 0 ? [`${unknown.length} events are in Postgres that nobody sent`] : []),
    ...(acknowledged < sent ? [`${sent - acknowledged} events were not taken within a minute and a half`] : []),
    ...(rollupsEqual ? [] : ['the rollups are not what the calls add up to']),
    ...refusedWith('events', refusals),
    ...refusedWith('reports', reports.failures),
    ...(withoutRetryAfter > 0 ? [`${withoutRetryAfter} times 429 or 503 came without Retry-After`] : []),
    ...(live.missing > 0 ? [`${live.missing} messages did not come, and nothing was said of it`] : []),
    ...(live.broken.length > 0 ? [`${live.broken.length} live frames were wrong: ${live.broken[0]}`] : []),
    ...(recoveredAfterMs > RECOVERED_WITHIN_MS
      ? [`it took ${(recoveredAfterMs / 1000).toFixed(1)} s until all was well again`]
      : []),
  ]
}
