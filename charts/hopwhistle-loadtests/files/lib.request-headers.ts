import { demoApiKey, demoTenantId } from './contract.demo.ts'
import { HEADERS } from './contract.routes.ts'

export type Access = {
  readonly apiKey: string
  readonly tenantId: string
  /** How many tenants share the load. If more than one, they are the demo data's. */
  readonly tenants: number
}

/** @param turn 0, 1, 2, …: the tenants have it in turns */
export function requestHeaders(access: Access, turn = 0): Record<string, string> {
  const n = turn % access.tenants
  const { apiKey, tenantId } = n === 0 ? access : { apiKey: demoApiKey(n), tenantId: demoTenantId(n) }
  return { 'content-type': 'application/json', [HEADERS.apiKey]: apiKey, [HEADERS.tenantId]: tenantId }
}
