import { type ScenarioName, targetsOf } from './contract.scenarios.ts'

export type Access = { readonly apiUrl: string; readonly tenantId: string; readonly tenants: number }

/**
 * Whether the first answer of an API says that a scenario could only fail: no such key, or one of another tenant.
 *
 * @param status of a request for a report, with the key and the tenant of the run; 0 when there was no answer
 * @param body of the answer, or why there was none
 * @returns what is wrong, for the person who began the run; undefined when nothing is
 */
export function refusedAccess(
  { apiUrl, tenantId, tenants }: Access,
  scenario: ScenarioName,
  status: number,
  body: string,
): string | undefined {
  if (status === 0) return `API_URL ${apiUrl} does not answer: ${body}`
  if (status === 401 && tenants > 1) {
    return `TENANTS is ${tenants}, and ${apiUrl} has fewer (401). Make them with: npm run db:seed:demo -- --again --tenants=${tenants}`
  }
  if (status === 401) return `API_KEY is not one that ${apiUrl} knows (401)`
  if (status !== 403) return undefined
  if (codeOf(body) === 'forbidden-tenant') {
    return `TENANT_ID is "${tenantId}", and API_KEY belongs to another tenant of ${apiUrl} (403)`
  }
  // A key that may only send events is enough for the other scenarios.
  return targetsOf(scenario).reports !== undefined ? `API_KEY may not read reports of ${apiUrl} (403)` : undefined
}

function codeOf(body: string): unknown {
  try {
    return (JSON.parse(body) as { readonly code?: unknown }).code
  } catch {
    return undefined
  }
}
