/** The tenant and the key of every example, of the demo data and of the load tests. Never for production. */
export const DEMO_TENANT_ID = '00000000-0000-0000-0000-000000000000'
export const DEMO_API_KEY = 'test-api-key'

/** Most tenants over which load tests spread. */
export const DEMO_TENANTS_MAX = 10_000

/** The n-th of the tenants over which load tests spread; the demo tenant is number 0. */
export const demoTenantId = (n: number): string => `${DEMO_TENANT_ID.slice(0, -4)}${n.toString(16).padStart(4, '0')}`
export const demoApiKey = (n: number): string => (n === 0 ? DEMO_API_KEY : `${DEMO_API_KEY}-${n}`)
