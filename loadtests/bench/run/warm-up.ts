import { setTimeout as sleep } from 'node:timers/promises'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { requestHeaders } from '../../scenarios/lib/request-headers.ts'
import type { Target } from './target.ts'

/** Enough connections that the kernel gives some to every instance. */
const CONNECTIONS = 24
const DAY_MS = 24 * 3600 * 1000

/**
 * Lets every instance compile its hot paths and open its pools, so that the first seconds measured are like the rest.
 * What fails here fails again where it is counted.
 */
export async function warmUp(target: Target, forMs: number, signal?: AbortSignal): Promise<void> {
  const until = performance.now() + forMs
  const stop = AbortSignal.any([AbortSignal.timeout(forMs + 2_000), ...(signal === undefined ? [] : [signal])])
  const to = new Date().toISOString()
  const from = new Date(Date.now() - DAY_MS).toISOString()
  const run = Date.now().toString(36)

  const one = async (worker: number) => {
    for (let n = 0; performance.now() < until && !stop.aborted; n++) {
      const headers = requestHeaders(target, worker + n * CONNECTIONS)
      const callId = `warm-up.${run}.${worker}.${n}`
      const requests = [
        () =>
          fetch(`${target.apiUrl}${ROUTES.demoCallEvent}`, {
            method: 'POST',
            headers,
            body: JSON.stringify({
              eventId: `${callId}.completed`,
              callId,
              state: 'COMPLETED',
              occurredAt: new Date().toISOString(),
            }),
            signal: stop,
          }),
        () => fetch(`${target.apiUrl}${ROUTES.reportCalls}?limit=20`, { headers, signal: stop }),
        () =>
          fetch(`${target.apiUrl}${ROUTES.reportMetrics}?granularity=hour&from=${from}&to=${to}`, {
            headers,
            signal: stop,
          }),
      ]
      const response = await requests[n % requests.length]!().catch(() => undefined)
      await response?.arrayBuffer().catch(() => {})
      if (response === undefined || !response.ok) await sleep(50)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, worker) => one(worker)))
  signal?.throwIfAborted()
}
