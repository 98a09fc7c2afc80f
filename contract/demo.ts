/** The tenant, the key and the callback of every example, of the demo data and of the load tests. Never for production. */
export const DEMO_TENANT_ID = '00000000-0000-0000-0000-000000000000'
export const DEMO_API_KEY = 'test-api-key'

/** Most tenants over which load tests spread. */
export const DEMO_TENANTS_MAX = 10_000

/** The n-th of the tenants over which load tests spread; the demo tenant is number 0. */
export const demoTenantId = (n: number): string => `${DEMO_TENANT_ID.slice(0, -4)}${n.toString(16).padStart(4, '0')}`
export const demoApiKey = (n: number): string => (n === 0 ? DEMO_API_KEY : `${DEMO_API_KEY}-${n}`)

/** What Twilio signs with, for the demo tenants: its auth token. */
export const DEMO_TWILIO_TOKEN = 'test-auth-token'
/** The last part of the URL at which Twilio reports the calls of the n-th of the demo tenants. */
export const demoTwilioCallback = (n: number): string =>
  `hwc_test-twilio-callback-of-demo${n.toString(16).padStart(4, '0')}`
