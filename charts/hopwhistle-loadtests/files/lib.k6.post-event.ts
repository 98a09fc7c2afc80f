/** Posts call events without waiting for one another. Runs inside k6. */
import http from 'k6/http'
import type { CallEventBody } from './contract.calls.ts'
import { ROUTES } from './contract.routes.ts'
import { requestHeaders } from './lib.request-headers.ts'
import type { LiveSettings } from './lib.settings.ts'
import { sleepMs } from './lib.k6.sleep-ms.ts'

const ATTEMPTS = 3
const RETRY_MS = 500

export type Posted = {
  /** Known to be published; else it may be or may not. */
  readonly isPublished: boolean
  readonly attempts: number
  /** How long the first attempt took. */
  readonly ms: number
}

/**
 * A post that fails is repeated with the same event id, which the platform stores once: so that nearly every message
 * is known to be published, and due at every subscriber.
 */
export function eventPoster(settings: LiveSettings): (event: CallEventBody, tenant: number) => Promise<Posted> {
  const url = `${settings.apiUrl}${ROUTES.callEvent}`
  const common = { tags: { name: `POST ${ROUTES.callEvent}` }, timeout: '10s' }
  return async (event, tenant) => {
    const params = { ...common, headers: requestHeaders(settings, tenant) }
    const body = JSON.stringify(event)
    let ms = 0
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (attempt > 1) await sleepMs(RETRY_MS)
      const { status, timings } = await http.asyncRequest('POST', url, body, params)
      if (attempt === 1) ms = timings.duration
      // A duplicate at the first attempt is another run's event: the run id was used before, nothing was published.
      if (status === 201 || (status === 200 && attempt > 1)) return { isPublished: true, attempts: attempt, ms }
    }
    return { isPublished: false, attempts: ATTEMPTS, ms }
  }
}
