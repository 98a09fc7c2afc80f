/** The tenant and the key of every example, of the demo data and of the load tests. Never for production. */
export const DEMO_TENANT_ID = '00000000-0000-0000-0000-000000000000'
export const DEMO_API_KEY = 'test-api-key'
