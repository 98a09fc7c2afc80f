import type { FaultResult } from './run-fault.ts'

/** The only allowed failures during a fault: 503, 429 for a tenant's own load, and no answer. */
const HONEST = new Set(['503', '429', 'none'])
const RECOVERED_WITHIN_MS = 20_000

/** @returns one sentence for each promise that the fault broke */
export function problemsOf(result: FaultResult): readonly string[] {
  const { lost, unknown, sent, acknowledged, rollupsEqual, refusals, withoutRetryAfter, recoveredAfterMs } = result
  const { reports, live } = result
  const refusedWith = (what: string, by: Readonly<Record<string, number>>) =>
    Object.keys(by)
      .filter((status) => !HONEST.has(status))
      .map((status) => `${by[status]} ${what} were refused with ${status}`)
  return [
    ...(lost.length > 0 ? [`${lost.length} acknowledged events are not in Postgres, ${lost[0]} among them`] : []),
    ...(unknown.length > 0 ? [`${unknown.length} events in Postgres were never sent`] : []),
    ...(acknowledged < sent ? [`${sent - acknowledged} events were not accepted within 90 s`] : []),
    ...(rollupsEqual ? [] : ['the rollups do not equal the calls']),
    ...refusedWith('events', refusals),
    ...refusedWith('reports', reports.failures),
    ...(withoutRetryAfter > 0 ? [`${withoutRetryAfter} answers with 429 or 503 had no Retry-After`] : []),
    ...(live.missing > 0 ? [`${live.missing} messages were lost without a notice to the subscriber`] : []),
    ...(live.broken.length > 0 ? [`${live.broken.length} live frames were wrong: ${live.broken[0]}`] : []),
    ...(recoveredAfterMs > RECOVERED_WITHIN_MS ? [`recovery took ${(recoveredAfterMs / 1000).toFixed(1)} s`] : []),
  ]
}
