import { DEMO_API_KEY, DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import { HEADERS } from '@hopwhistle/contract/routes.ts'

/** The key that every request of the benchmark has, and whose it is. */
export const HEADERS_OF_KEY = { [HEADERS.apiKey]: DEMO_API_KEY }
export const TENANT_ID = DEMO_TENANT_ID
