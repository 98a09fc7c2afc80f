import { ROUTES } from '@hopwhistle/contract/routes.ts'
import type { ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { refusedAccess } from '../../scenarios/lib/refused-access.ts'
import { requestHeaders } from '../../scenarios/lib/request-headers.ts'
import type { Target } from './target.ts'

const ANSWER_WITHIN_MS = 10_000

/**
 * Asks the API once, as each scenario does when it begins, so that a wrong key or tenant is said before anything starts.
 *
 * @throws {Failure} saying which setting is wrong
 */
export async function checkAccess(target: Target, scenarios: readonly ScenarioName[]): Promise<void> {
  const { status, body } = await fetch(`${target.apiUrl}${ROUTES.reportCalls}?limit=1`, {
    headers: requestHeaders(target, target.tenants - 1),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  }).then(
    async (response) => ({ status: response.status, body: await response.text() }),
    (error: Error) => ({ status: 0, body: ((error.cause as Error | undefined) ?? error).message }),
  )
  for (const scenario of scenarios) {
    const refused = refusedAccess(target, scenario, status, body)
    if (refused !== undefined) throw new Failure(refused)
  }
}
